package embedded

import (
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
)

// A server that is started again is in the same place, has the same secret, and keeps out whoever
// does not know it.
func TestStart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	s, err := Start(Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Start(Options{Dir: dir}); !errors.Is(err, ErrRunning) {
		t.Errorf("a second one: got %v", err)
	}
	if found, err := Find(dir); found != s.URL() || err != nil {
		t.Errorf("got %s, %v, want %s", found, err, s.URL())
	}
	u, err := url.Parse(s.URL())
	if err != nil || !strings.HasPrefix(u.Host, "127.0.0.1:") {
		t.Errorf("got %s, %v", s.URL(), err)
	}
	if info, err := os.Stat(filepath.Join(dir, noteName)); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("got %v, %v", info.Mode(), err)
	}
	nc, err := nats.Connect(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	nc.Close()
	if nc, err := nats.Connect("nats://" + u.Host); !errors.Is(err, nats.ErrAuthorization) {
		nc.Close()
		t.Errorf("without the secret: got %v", err)
	}
	s.Stop()
	again, err := Start(Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Stop()
	if again.URL() != s.URL() {
		t.Errorf("got %s, want %s", again.URL(), s.URL())
	}
	if _, err := Start(Options{Dir: t.TempDir(), Port: portOf(t, u)}); err == nil {
		t.Error("a port that is taken: got no error")
	}
}

func portOf(t *testing.T, u *url.URL) (port int) {
	t.Helper()
	n, err := read(t.TempDir())
	if err == nil {
		t.Errorf("got %+v, want an error", n)
	}
	for _, digit := range u.Port() {
		port = 10*port + int(digit-'0')
	}
	return port
}
