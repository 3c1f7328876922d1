package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// measurement is what -case names.
type measurement struct {
	name, title string
	run         func(*bench, context.Context, measurement) error
}

var measurements = []measurement{
	{"http1g", "1 GiB over HTTP", http(1 << 30)},
	{"http4g", "4 GiB over HTTP", http(4 << 30)},
	{"crc4g", "4 GiB over HTTP, verified by CRC64NVME", (*bench).verified},
	{"resume", "4 GiB over HTTP, with DownloadOptions.Resume, with Config.Durable, and without", (*bench).resume},
	{"tls1g", "1 GiB over TLS 1.3", tls(1<<30, everything)},
	{"tls4g", "4 GiB over TLS 1.3", tls(4<<30, goClients)},
	{"capped", "4 GiB from an origin that gives each connection 90 MB/s", (*bench).capped},
	{"small", "2,000 objects of 64 KiB, 10 ms to the first byte", (*bench).small},
	{"start", "from the start of a program to its first 8 MiB object", (*bench).start},
	{"memory", "memory with a download of 5 TiB under way", (*bench).memory},
	{"workers", "1 GiB with 1 to 64 workers", (*bench).scaleWorkers},
	{"requests", "1 GiB with 8 connections in 1 to 8 workers, and with 10 workers of 1 to 8", (*bench).scaleRequests},
	{"sizes", "an object of zeros, of 64 KiB to 16 GiB", (*bench).scaleSizes},
	{"sockets", "goroutines on Go's poller, in one process and in several", (*bench).sockets},
}

// groups are names for several measurements.
var groups = map[string][]string{
	"all":   {"http1g", "http4g", "crc4g", "resume", "tls1g", "tls4g", "capped", "small", "start", "memory", "workers", "requests", "sizes", "sockets"},
	"scale": {"workers", "requests", "sizes"},
}

func choose(names string) ([]measurement, error) {
	var chosen []measurement
	for _, name := range strings.FieldsFunc(names, isComma) {
		members, isGroup := groups[name]
		if !isGroup {
			members = []string{name}
		}
		for _, member := range members {
			i := slices.IndexFunc(measurements, func(m measurement) bool { return m.name == member })
			if i < 0 {
				return nil, fmt.Errorf("no case %q: there are %s", member, caseNames())
			}
			chosen = append(chosen, measurements[i])
		}
	}
	return chosen, nil
}

func isComma(r rune) bool { return r == ',' }

func caseNames() string {
	var names []string
	for _, m := range measurements {
		names = append(names, m.name)
	}
	return strings.Join(names, ", ") + "; scale and all are several of them"
}
