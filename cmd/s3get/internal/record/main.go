// Command record makes the recording of s3get for README.md:
//
//	go run ./internal/record docs/session.svg
//
// It starts an S3 server on this machine that is as slow as a network, runs commands in a terminal
// of tmux, looks at the screen five times a second, and writes what it saw as an animated SVG.
package main

import (
	"errors"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/s3processpool/processpool/internal/test/s3test"
)

const (
	columns, rows = 94, 21
	every         = 200 * time.Millisecond
)

// session is what the terminal runs. Each command is shown before it runs.
const session = `
show() { printf '\033[1m$ %s\033[0m\n' "$1"; sleep 1; eval "$1"; sleep 1.5; }
show "s3get -d video s3://media/video/holiday-part-{1,2,3}.mp4 s3://media/private.mp4"
show "s3get sync s3://media/photos/ photos"
sleep 1
`

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("usage: record FILE.svg")
	}
	if err := record(os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

func record(to string) error {
	temp, err := os.MkdirTemp("", "s3get-record-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	program := filepath.Join(temp, "bin", "s3get")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	origin := start()
	defer origin.Close()
	frames, err := watch(temp, []string{
		"PATH=" + filepath.Dir(program) + ":" + os.Getenv("PATH"), "S3GET_ENDPOINT=" + origin.URL(), "S3GET_WORKERS=4",
		"S3GET_NO_SIGN_REQUEST=true", "HOME=" + temp, "LANG=C.UTF-8",
	})
	if err != nil {
		return err
	}
	return os.WriteFile(to, []byte(svg(frames)), 0o666)
}

// start starts the server. Each of its connections brings 10 MiB/s.
func start() *s3test.Server {
	origin := s3test.Start()
	for i, mib := range []int64{64, 24, 40} {
		origin.Put("media", fmt.Sprintf("video/holiday-part-%d.mp4", i+1), s3test.PatternBytes(uint64(i), mib<<20))
	}
	origin.Put("media", "private.mp4", []byte("x"))
	for i := range 60 {
		origin.Put("media", fmt.Sprintf("photos/2026/%02d/img_%04d.jpg", i/20+1, i), s3test.PatternBytes(uint64(i), int64(200+i*370%1400)<<10))
	}
	origin.Inject(s3test.Fault{Key: "private.mp4", Status: 403, Code: "AccessDenied"})
	origin.Inject(s3test.Fault{Method: "GET", Trickle: 25 * time.Millisecond, TrickleBytes: 256 << 10, Match: func(r s3test.Request) bool { return r.Key != "" }})
	return origin
}

// frame is what the terminal shows from a time on.
type frame struct {
	at   time.Duration
	text string
}

// watch runs the session in a terminal of its own server of tmux, and returns what it shows.
func watch(dir string, environ []string) (frames []frame, err error) {
	script := filepath.Join(dir, "session.sh")
	if err := os.WriteFile(script, []byte(session), 0o666); err != nil {
		return nil, err
	}
	work := filepath.Join(dir, "work")
	if err := os.Mkdir(work, 0o777); err != nil {
		return nil, err
	}
	tmux := func(args ...string) (string, error) {
		cmd := exec.Command("tmux", append([]string{"-S", filepath.Join(dir, "socket"), "-f", "/dev/null"}, args...)...)
		cmd.Dir, cmd.Env = work, append(os.Environ(), environ...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			err = fmt.Errorf("tmux %s: %w: %s", args[0], err, out)
		}
		return string(out), err
	}
	// The window stays when its command has ended, so that the last screen can be read.
	if _, err := tmux("new-session", "-d", "-x", strconv.Itoa(columns), "-y", strconv.Itoa(rows), "sleep 0.5; exec bash --norc "+script,
		";", "set-option", "-g", "remain-on-exit", "on", ";", "set-option", "-g", "status", "off"); err != nil {
		return nil, err
	}
	defer tmux("kill-server")
	began := time.Now()
	for time.Since(began) < 40*time.Second {
		text, err := tmux("capture-pane", "-p")
		if err != nil {
			return nil, err
		}
		dead, err := tmux("display-message", "-p", "#{pane_dead}")
		if err != nil {
			return nil, err
		}
		if strings.TrimSpace(dead) == "1" {
			return frames, nil
		}
		if len(frames) == 0 || frames[len(frames)-1].text != text {
			frames = append(frames, frame{time.Since(began), text})
		}
		time.Sleep(every)
	}
	return frames, errors.New("the session has not ended: " + frames[len(frames)-1].text)
}
