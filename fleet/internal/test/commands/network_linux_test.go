package commands

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/s3processpool/processpool/fleet/internal/test/site"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// A worker whose link is cut loses what it holds to others, and does no harm when the link is healed:
// while they work, or when they have ended. Nor does it matter that all are cut off.
func TestLinkCut(t *testing.T) {
	for _, c := range []struct {
		name string
		cut  []int
		late bool // healed when all others have ended
	}{
		{"healed soon", []int{0}, false}, {"healed late", []int{0}, true}, {"all", []int{0, 1, 2}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := site.NewNetwork(t, 3)
			s := site.New(t)
			files := s.Put(600, 20<<10)
			for i := range 3 {
				name := fmt.Sprintf("large%d", i)
				files[name] = s3test.PatternBytes(uint64(i), 20<<20)
				s.Origin.Put("b", "p/"+name, files[name])
			}
			origin := n.Listen(strings.TrimPrefix(s.Origin.URL(), "http://"))
			const ackWait = 3 * time.Second
			on := func(host int, args ...string) *site.Process {
				return s.Begin(n.On(host, s.Command(t.Context(), args...)))
			}
			url := on(-1, "serve", "--store", t.TempDir(), "--listen", "0.0.0.0:0").Stdout.Line("nats://")
			endpoint := func(address string) []string {
				return []string{"--run", "r", "--nats", strings.Replace(url, "127.0.0.1", address, 1), "--endpoint", fmt.Sprintf("http://%s:%d", address, origin)}
			}
			on(-1, append([]string{"plan", "s3://b/p/", "--ack-wait", ackWait.String()}, endpoint("127.0.0.1")...)...).Wait(0)
			var workers []*site.Process
			for host := range 3 {
				workers = append(workers, on(host, append([]string{"work", s.Dir, "--processes", "2"}, endpoint(n.Server(host))...)...))
			}
			gets := func(r s3test.Request) bool { return r.Method == "GET" && r.Key != "" }
			ctx, cancel := context.WithTimeout(t.Context(), site.Patience)
			defer cancel()
			if err := s.Origin.WaitRequests(ctx, 100, gets); err != nil {
				t.Fatal(err)
			}
			for _, host := range c.cut {
				n.Cut(host)
			}
			if c.late {
				workers[1].Wait(0)
				workers[2].Wait(0)
			} else {
				time.Sleep(ackWait * 3 / 2) // for as long the link is cut
			}
			for _, host := range c.cut {
				n.Heal(host)
			}
			for _, w := range workers {
				w.Wait(0)
			}
			s.Whole(s.Dir, files)
			out, _ := on(-1, "status", "--nats", url).Wait(0)
			s.Text("status", out, "603 planned, 603 done, 0 dead, 0 open", "ended")
		})
	}
}
