// SPDX-License-Identifier: BSD-2-Clause

// The cilium/ebpf side of the benchmark: main OBJECT, a peer that is asked line
// by line on standard input and answers each with one line:
//
//	copy VNI VLAN ADDR    nanoseconds, and the id of the program
//	parse VNI VLAN ADDR   the same, with the object parsed anew
//	pods N                nanoseconds for parsing once and loading N times
//
// The program stays loaded until the next line.  ADDR is a number in the byte
// order of the machine that stands for the bytes in memory.  What is timed is what users of the
// package write for each pod: copy the specification, set the constants, load,
// keep the program, close the rest.
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"time"

	"github.com/cilium/ebpf"
)

func parse(object []byte) *ebpf.CollectionSpec {
	spec, err := ebpf.LoadCollectionSpecFromReader(bytes.NewReader(object))
	if err != nil {
		panic(err)
	}
	return spec
}

func load(spec *ebpf.CollectionSpec, vni, vlan, addr uint32) *ebpf.Program {
	err := spec.RewriteConstants(map[string]interface{}{"vni": vni, "vlan": vlan, "addr": addr})
	if err != nil {
		panic(err)
	}
	collection, err := ebpf.NewCollection(spec)
	if err != nil {
		panic(err)
	}
	program := collection.DetachProgram("pod")
	collection.Close()
	return program
}

func id(program *ebpf.Program) ebpf.ProgramID {
	info, err := program.Info()
	if err != nil {
		panic(err)
	}
	id, _ := info.ID()
	return id
}

func pods(object []byte, count int) time.Duration {
	programs := make([]*ebpf.Program, 0, count)
	start := time.Now()
	spec := parse(object)
	for i := 0; i < count; i++ {
		programs = append(programs, load(spec.Copy(), uint32(i+1), 7, uint32(i)))
	}
	spent := time.Since(start)
	for _, program := range programs {
		program.Close()
	}
	return spent
}

func main() {
	object, err := os.ReadFile(os.Args[1])
	if err != nil {
		panic(err)
	}
	spec := parse(object)
	var last *ebpf.Program
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var what string
		var a, b, c uint32
		fmt.Sscan(lines.Text(), &what, &a, &b, &c)
		if what == "pods" {
			fmt.Println(pods(object, int(a)).Nanoseconds())
			continue
		}
		last.Close()
		start := time.Now()
		if what == "parse" {
			last = load(parse(object), a, b, c)
		} else {
			last = load(spec.Copy(), a, b, c)
		}
		spent := time.Since(start)
		fmt.Println(spent.Nanoseconds(), uint32(id(last)))
	}
}
