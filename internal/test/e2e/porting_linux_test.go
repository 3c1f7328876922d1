package e2e_test

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"

	"github.com/s3processpool/processpool/internal/test/harness"
	"github.com/s3processpool/processpool/internal/test/leak"
	"github.com/s3processpool/processpool/internal/test/s3test"
)

// tcp_keepalive: on a silent connection only the timer of keep-alive runs, or none.
func TestPortingKeepAlive(t *testing.T) {
	const keepAlive, none = "02", "00" // the active timer of /proc/net/tcp, see proc(5)
	for period, want := range map[time.Duration]string{time.Hour: keepAlive, -1: none} {
		t.Run(period.String(), func(t *testing.T) {
			leak.Check(t)
			origin, dir := harness.StartOrigin(t), t.TempDir()
			origin.Put("b", "k", harness.Content)
			origin.Inject(s3test.Fault{Method: "GET", Stall: true})
			cfg := origin.Config()
			cfg.HTTPClient = awshttp.NewBuildableClient().WithDialerOptions(func(d *net.Dialer) { d.KeepAlive = period })
			d := harness.NewDownloaderOf(t, origin, cfg, harness.Processes(1))
			f := d.DownloadFile(t.Context(), "b", "k", filepath.Join(dir, "file"))
			harness.Arrive(t, origin, 1, "GET")

			end := time.Now().Add(harness.Patience)
			got := timerOf(t, origin.URL())
			for got != want && time.Now().Before(end) {
				time.Sleep(time.Millisecond) // the last segment may not be acknowledged yet
				got = timerOf(t, origin.URL())
			}
			if got != want {
				t.Errorf("got timer %q, want %q", got, want)
			}
			f.Cancel()
			harness.Shutdown(t, d)
		})
	}
}

// timerOf returns the timer of the connection to address.
func timerOf(t *testing.T, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	var port int
	fmt.Sscan(u.Port(), &port)
	table, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(table)) {
		fields := strings.Fields(line) // sl local remote state queues timer:when ...
		if len(fields) > 5 && strings.HasSuffix(fields[2], fmt.Sprintf(":%04X", port)) && fields[3] == "01" {
			timer, _, _ := strings.Cut(fields[5], ":")
			return timer
		}
	}
	return ""
}
