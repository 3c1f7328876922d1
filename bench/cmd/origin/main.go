// Command origin serves a site with internal/test/s3test. It is the origin if nginx is not
// installed, and always if responses must be delayed or stop. It ends at the end of its standard
// input.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"github.com/s3processpool/processpool/bench/internal/origin"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

var (
	site       = flag.String("site", "", "`file` that lists the objects")
	secure     = flag.Bool("tls", false, "serve HTTPS")
	delay      = flag.Duration("delay", 0, "`time` to wait before each response")
	rate       = flag.Int64("rate", 0, "maximum rate of each response in `bytes` per second; 0: no limit")
	stallAfter = flag.Int64("stall", 0, "number of `bytes` of each body after which nothing is sent; 0: never stop")
)

func main() {
	flag.Parse()
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "origin:", err)
		os.Exit(1)
	}
}

func run() error {
	s := s3test.Start(func(o *s3test.Options) { o.TLS = *secure })
	defer s.Close()
	if err := stock(s); err != nil {
		return err
	}
	s.Inject(fault())
	out := json.NewEncoder(os.Stdout)
	if err := out.Encode(origin.Hello{URL: s.URL(), CA: string(s.CAPEM())}); err != nil {
		return err
	}
	var count atomic.Int64
	s.OnRequest(func(s3test.Request) {
		if count.Add(1)%forgetAfter == 0 {
			s.ResetRequests()
		}
	})
	// Each line on standard input asks for the number of requests since the previous line.
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		if err := out.Encode(count.Swap(0)); err != nil {
			return err
		}
	}
	return nil
}

// forgetAfter is a number of requests. The server records each of them, which would take memory.
const forgetAfter = 1000

// inMemory is the size of the largest object that is kept in memory. Each larger one needs a
// descriptor.
const inMemory = 1 << 20

// stock stores the objects of the site.
func stock(s *s3test.Server) error {
	objects, err := origin.ReadList(*site)
	if err != nil {
		return err
	}
	for _, o := range objects {
		content := s3test.Pattern(1)
		if o.Path != "" {
			f, err := os.Open(o.Path)
			if err != nil {
				return err
			}
			content = f
			if o.Size <= inMemory {
				data, err := io.ReadAll(f)
				f.Close()
				if err != nil {
					return err
				}
				content = bytes.NewReader(data)
			}
		}
		s.PutContent(origin.Bucket, o.Key, o.Size, content, func(stored *s3test.Object) {
			stored.ETag = fmt.Sprintf("%q", fmt.Sprintf("bench-%x", o.Size)) // does not look like an MD5
			if o.CRC64NVME != "" {
				stored.Checksums = map[string]string{"crc64nvme": o.CRC64NVME}
				stored.ChecksumType = "FULL_OBJECT"
			}
		})
	}
	return nil
}

// ratePiece is the number of bytes that are sent between two pauses.
const ratePiece = 256 << 10

func fault() s3test.Fault {
	f := s3test.Fault{Delay: *delay}
	if *stallAfter > 0 {
		f.Method, f.Stall, f.StallAfter = "GET", true, *stallAfter
	}
	if *rate > 0 {
		f.TrickleBytes = ratePiece
		f.Trickle = time.Duration(int64(time.Second) * ratePiece / *rate)
	}
	return f
}
