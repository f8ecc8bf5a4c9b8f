// SPDX-License-Identifier: BSD-2-Clause

// A container runtime's part of CNI, by the library that runtimes use:
//
//	driver [OPTION…] COMMAND CONFLIST NETNS CONTAINER IFNAME
//
//	ADD, CHECK, DEL   of all plugins of the list; ADD prints the result
//	RESULT            prints the result that libcni keeps from ADD
//	VALIDATE          asks each plugin for the versions that it supports, and checks
//	                  the list's; prints the capabilities; NETNS and the rest may be absent
//
// CNI_PATH is where the plugins are.  It knows nothing of bpfstamp: what it finds wrong, a
// runtime would.  libcni here is of version 1.0.0 of the specification, and has no GC and STATUS.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/containernetworking/cni/libcni"
	"github.com/containernetworking/cni/pkg/types"
)

// KEY=VALUE;… as CNI_ARGS has it.
func pairs(text string) (list [][2]string, err error) {
	for _, pair := range strings.Split(text, ";") {
		if pair == "" {
			continue
		}
		key, value, found := strings.Cut(pair, "=")
		if !found {
			return nil, fmt.Errorf("-args: no '=' in %q", pair)
		}
		list = append(list, [2]string{key, value})
	}
	return list, nil
}

func show(result types.Result, err error) error {
	if err != nil {
		return err
	}
	if result == nil {
		return fmt.Errorf("no result")
	}
	return result.Print()
}

func run(command string, cni *libcni.CNIConfig, list *libcni.NetworkConfigList, rt *libcni.RuntimeConf) error {
	ctx := context.Background()
	switch command {
	case "ADD":
		return show(cni.AddNetworkList(ctx, list, rt))
	case "CHECK":
		return cni.CheckNetworkList(ctx, list, rt)
	case "DEL":
		return cni.DelNetworkList(ctx, list, rt)
	case "RESULT":
		return show(cni.GetNetworkListCachedResult(list, rt))
	case "VALIDATE":
		capabilities, err := cni.ValidateNetworkList(ctx, list)
		fmt.Println(strings.Join(capabilities, " "))
		return err
	}
	return fmt.Errorf("%s is no command", command)
}

func drive() error {
	cache := flag.String("cache", "/var/lib/cni", "where libcni keeps results")
	args := flag.String("args", "", "KEY=VALUE;…, which become CNI_ARGS")
	capabilities := flag.String("caps", "", "an object: arguments by capability")
	flag.Parse()
	if flag.NArg() != 5 && !(flag.NArg() == 2 && flag.Arg(0) == "VALIDATE") {
		return fmt.Errorf("usage: driver [OPTION…] COMMAND CONFLIST NETNS CONTAINER IFNAME")
	}
	list, err := libcni.ConfListFromFile(flag.Arg(1))
	if err != nil {
		return err
	}
	rt := &libcni.RuntimeConf{NetNS: flag.Arg(2), ContainerID: flag.Arg(3), IfName: flag.Arg(4)}
	if rt.Args, err = pairs(*args); err != nil {
		return err
	}
	if *capabilities != "" {
		if err := json.Unmarshal([]byte(*capabilities), &rt.CapabilityArgs); err != nil {
			return fmt.Errorf("-caps: %w", err)
		}
	}
	cni := libcni.NewCNIConfigWithCacheDir(filepath.SplitList(os.Getenv("CNI_PATH")), *cache, nil)
	return run(flag.Arg(0), cni, list, rt)
}

func main() {
	if err := drive(); err != nil {
		fmt.Fprintln(os.Stderr, "driver:", err)
		os.Exit(1)
	}
}
