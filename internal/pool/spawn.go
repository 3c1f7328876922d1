package pool

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/s3processpool/processpool/internal/ipc"
)

// Command is what a worker is started from.
type Command struct {
	Args []string // program and arguments
	Env  []string // added to this process's environment
}

// Self is this executable again, in the words of its parent's command line. On
// Linux it is /proc/self/exe: the very file that runs here, though an upgrade has
// replaced it on disk (proc(5)).
func Self() (string, error) {
	if runtime.GOOS == "linux" {
		return "/proc/self/exe", nil
	}
	return os.Executable()
}

// secrets are variables that no worker needs: the pool vends credentials over the
// socket. The second line has the SDK's older names for the same.
var secrets = []string{
	"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
	"AWS_ACCESS_KEY", "AWS_SECRET_KEY", "AWS_SECURITY_TOKEN",
	"AWS_CONTAINER_AUTHORIZATION_TOKEN",
}

func (c Command) environ(slots int) []string {
	env := slices.DeleteFunc(os.Environ(), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return slices.Contains(secrets, name)
	})
	// A worker copies bytes: more threads than requests only wake each other.
	threads := min(slots, runtime.NumCPU())
	return append(append(env, "GOMAXPROCS="+strconv.Itoa(threads)), c.Env...)
}

// hire starts a process in the seat and shakes hands with it.
func (p *Pool) hire(seat int) (*process, error) {
	w, err := p.spawn(seat)
	if err != nil {
		return nil, fmt.Errorf("start worker: %w", err)
	}
	if err := p.greet(w); err != nil {
		return nil, w.bury(err)
	}
	return w, nil
}

func (p *Pool) spawn(seat int) (*process, error) {
	ours, theirs, err := ipc.Pair()
	if err != nil {
		return nil, err
	}
	defer theirs.Close() // or the end of the worker would not be the end of the socket
	conn, err := ipc.NewConn(ours)
	if err != nil {
		return nil, err
	}
	args := p.options.Command.Args
	w := newWorker(p, seat, conn)
	w.cmd = exec.Command(args[0], args[1:]...)
	if args[0] == "/proc/self/exe" {
		w.cmd.Args[0] = os.Args[0] // what ps shows
	}
	w.cmd.Env = p.options.Command.environ(p.options.Settings.Slots)
	ipc.Bequeath(w.cmd, theirs)
	// A child of the worker's may keep standard error open; do not wait for it.
	w.cmd.WaitDelay = time.Second
	if err := withSlack(p.options.Settings.Slots, func() error { return w.stderr.start(w.cmd) }); err != nil {
		conn.Close()
		return nil, err
	}
	w.pid = w.cmd.Process.Pid
	conn.Peer(w.cmd.Process)
	return w, nil
}

// greet waits for the worker's hello and gives it its settings.
func (p *Pool) greet(w *process) error {
	// A stopped pool waits for no greeting.
	hurry := make(chan struct{})
	defer close(hurry)
	go func() {
		select {
		case <-p.stopped.Done():
			w.kill()
		case <-hurry:
		}
	}()
	deadline := time.Now().Add(p.options.StartTimeout)
	w.conn.SetReadDeadline(deadline)
	w.conn.SetWriteDeadline(deadline)
	m, _, err := w.conn.Receive()
	if err != nil {
		return fmt.Errorf("%s sent no hello: %w", p.options.Command.Args[0], ended(err))
	}
	hello, ok := m.(*ipc.Hello)
	if !ok {
		return fmt.Errorf("its first word is a %T, not a hello", m)
	}
	// The answer goes out even so: it lets a worker of another version say why it ends.
	settings := p.options.Settings
	settings.Seat = w.seat
	err = w.conn.Send(&ipc.Setup{Version: ipc.Version, Settings: settings}, nil)
	if hello.Version != ipc.Version {
		return fmt.Errorf("it speaks protocol version %d, this pool %d: build both from one version of the module", hello.Version, ipc.Version)
	}
	if err != nil {
		return fmt.Errorf("send its settings: %w", ended(err))
	}
	m, _, err = w.conn.Receive()
	if err != nil {
		return fmt.Errorf("it ended over its settings: %w", ended(err))
	}
	if _, ok := m.(*ipc.Ready); !ok {
		return fmt.Errorf("it answered its settings with a %T", m)
	}
	w.conn.SetReadDeadline(time.Time{})
	w.conn.SetWriteDeadline(time.Time{})
	return nil
}
