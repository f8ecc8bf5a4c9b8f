# SPDX-License-Identifier: BSD-2-Clause
#
# What a pod costs against the number of pods: gnuplot -e "data='…'; picture='…'" cost.gp
# where data has lines CONTENDER PODS MICROSECONDS, with tabs between.

set terminal svg size 900,540 dynamic background rgb "white" font "sans-serif,13"
set output picture
set datafile separator "\t"
set title "Time for each pod, with a share of opening the object"
set logscale xy
set xrange [0.9:1100]
set yrange [10:*]
set xlabel "pods, one after the other"
set ylabel "time for each pod"
set ytics ("10 µs" 10, "100 µs" 100, "1 ms" 1e3, "10 ms" 1e4, "100 ms" 1e5, "1 s" 1e6)
set mytics 10
set grid ytics mytics xtics linetype 1 linecolor rgb "#cccccc", linetype 1 linecolor rgb "#eeeeee"
set key outside right center vertical Left reverse samplen 2 spacing 1.4
set style data linespoints

names = "clang and tc|tc|bpfstamp attach|bpfstamp attach, equal values|libbpf|cilium/ebpf, load only|bpfstamp attach --batch|bpfstamp, in a map|".\
	"bpfstamp, inlined|bpfstamp, equal values"
colours = "#7f7f7f #8c564b #9467bd #bcbd22 #ff7f0e #2ca02c #e377c2 #1f77b4 #d62728 #17becf"
name(i) = system(sprintf("echo '%s' | cut -d '|' -f %d", names, i))
rows(i) = sprintf("< awk -F '\\t' -v name='%s' '$1 == name' %s", name(i), data)

plot for [i = 1:10] rows(i) using 2:3 title name(i) linecolor rgb word(colours, i) linewidth 2 pointtype (4 + i) \
	pointsize 0.7
