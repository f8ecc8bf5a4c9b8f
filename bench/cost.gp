# SPDX-License-Identifier: BSD-2-Clause
#
# What a pod costs against the number of pods: gnuplot -e "data='…'; picture='…'" cost.gp
# where data has lines CONTENDER PODS MICROSECONDS, with tabs between.

set terminal svg size 860,520 dynamic background rgb "white" font "sans-serif,13"
set output picture
set datafile separator "\t"
set logscale xy
set xrange [0.9:1100]
set xlabel "pods, stamped one after the other"
set ylabel "µs a pod, opening the object included"
set grid ytics mytics linecolor rgb "#dddddd"
set key outside right top
set style data linespoints

names = "clang and tc|tc|bpfstamp attach|libbpf|cilium/ebpf, load only|bpfstamp|bpfstamp, inlined"
colours = "#7f7f7f #8c564b #9467bd #ff7f0e #2ca02c #1f77b4 #d62728"
name(i) = system(sprintf("echo '%s' | cut -d '|' -f %d", names, i))
rows(i) = sprintf("< awk -F '\\t' -v name='%s' '$1 == name' %s", name(i), data)

plot for [i = 1:7] rows(i) using 2:3 title name(i) linecolor rgb word(colours, i) linewidth 2 pointtype 7 \
	pointsize 0.5
