// SPDX-License-Identifier: BSD-2-Clause

// Loads one program of an object with cilium/ebpf, as a classifier, and pins
// it: main OBJECT PROGRAM PIN.  It knows nothing of bpfstamp, and is to show
// that what bpfstamp writes is an ordinary object.
package main

import (
	"fmt"
	"os"

	"github.com/cilium/ebpf"
)

func load(object, program, pin string) error {
	spec, err := ebpf.LoadCollectionSpec(object)
	if err != nil {
		return err
	}
	if spec.Programs[program] == nil {
		return fmt.Errorf("%s has no program %s", object, program)
	}
	spec.Programs[program].Type = ebpf.SchedCLS
	collection, err := ebpf.NewCollection(spec)
	if err != nil {
		return err
	}
	defer collection.Close()
	return collection.Programs[program].Pin(pin)
}

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: main OBJECT PROGRAM PIN")
		os.Exit(2)
	}
	if err := load(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, "cilium:", err)
		os.Exit(1)
	}
}
