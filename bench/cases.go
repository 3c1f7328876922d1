package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// measurement is a case that -case can name.
type measurement struct {
	name  string
	title string // {size}, {sizes} and {objects} stand for what is measured: see bench.title
	size  int64  // of an object, unless -size is given
	count int    // of objects, unless -count is given; 0: one object
	run   func(*bench, context.Context, measurement) error
}

var measurements = []measurement{
	{"http1g", "{size} over HTTP", 1 << 30, 0, plain(everything)},
	{"http4g", "{size} over HTTP", 4 << 30, 0, plain(everything)},
	{"crc4g", "{size} over HTTP, verified by CRC64NVME", 4 << 30, 0, plain(goClients)},
	{"resume", "{size} over HTTP, with DownloadOptions.Resume, with Config.Durable, and without", 4 << 30, 0, plain(resumeClients)},
	{"tls1g", "{size} over TLS 1.3", 1 << 30, 0, tls(everything)},
	{"tls4g", "{size} over TLS 1.3", 4 << 30, 0, tls(goClients)},
	{"disk4g", "{size} over HTTP to a disk, until they are on stable storage", 4 << 30, 0, (*bench).disk},
	{"disk16g", "{size} over HTTP to a disk, until they are on stable storage", 16 << 30, 0, (*bench).disk},
	{"neighbour", "a service, while {size} are downloaded at 300 MB/s", 8 << 30, 0, neighbour(30_000_000)},
	{"neighbour900", "a service, while {size} are downloaded at 900 MB/s", 8 << 30, 0, neighbour(connectionRate)},
	{"capped", "{size} from an origin that limits each connection to 90 MB/s", 4 << 30, 0, (*bench).capped},
	{"small", "{objects} of {size}, 10 ms to the first byte", 64 << 10, 2000, (*bench).small},
	{"files", "{objects} of {size} below one prefix, by whole commands", 64 << 10, 10_000, (*bench).files},
	{"tool8g", "{size} over HTTP, by whole commands", 8 << 30, 0, (*bench).tool},
	{"many", "{objects} of {size}", 4 << 10, 100_000, (*bench).many},
	{"calls", "system calls and page faults of an object of {size}", 4 << 10, 2000, (*bench).calls},
	{"fleet", "{objects} of {size} from an origin that limits each connection to 2 MB/s, by 1, 2 and 4 workers of s3fleet", 4 << 20, 96, (*bench).fleet},
	{"messages", "{objects} of {size}, by s3fleet and by DownloadAll", 64 << 10, 2000, (*bench).messages},
	{"start", "from the start of a program to its first object of {size}", 8 << 20, 0, (*bench).start},
	{"memory", "memory during a download of {size}", 5 << 40, 0, (*bench).memory},
	{"workers", "{size} with 1 to 64 workers", 1 << 30, 0, (*bench).scaleWorkers},
	{"requests", "{size} with 8 connections in 1 to 8 workers, and with 10 workers of 1 to 8", 1 << 30, 0, (*bench).scaleRequests},
	{"sizes", "an object of zeros, of {sizes}", 0, 0, (*bench).scaleSizes},
	{"sockets", "goroutines on Go's poller, in one process and in several", 1 << 30, 0, (*bench).sockets},
}

// groups maps names to several measurements.
var groups = map[string][]string{
	"all":   {"http1g", "http4g", "crc4g", "resume", "tls1g", "tls4g", "disk4g", "disk16g", "neighbour", "neighbour900", "capped", "small", "files", "tool8g", "many", "calls", "fleet", "messages", "start", "memory", "workers", "requests", "sizes", "sockets"},
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
