package measure

import (
	"os"
	"strings"
	"testing"
	"time"
)

func shell(t *testing.T, script string) Command {
	return Command{Args: []string{"sh", "-c", script}, Env: os.Environ(), Dir: t.TempDir(), Timeout: time.Minute}
}

// burn is a script that takes some milliseconds of processor time.
const burn = "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done"

func TestTimeOfGrandchildren(t *testing.T) {
	alone, err := Run(t.Context(), shell(t, "sh -c 'exit 0'; exit 0"))
	if err != nil {
		t.Fatal(err)
	}
	u, err := Run(t.Context(), shell(t, "sh -c '"+burn+"; "+burn+"'; exit 0"))
	if err != nil {
		t.Fatal(err)
	}
	if u.CPU() < alone.CPU()+10*time.Millisecond || u.Wall < 10*time.Millisecond {
		t.Errorf("got %v of processor time in %v, want more than the %v of a shell that does nothing", u.CPU(), u.Wall, alone.CPU())
	}
}

func TestMemoryOfTheTree(t *testing.T) {
	c := shell(t, "sleep 60 & sleep 60 & wait")
	c.Memory, c.For = true, time.Second
	u, err := Run(t.Context(), c)
	// Run has ended the shell after a second, and reports the processes that it left behind.
	if err == nil || !strings.Contains(err.Error(), "left processes behind") {
		t.Errorf("got %v, want an error about the processes left behind", err)
	}
	c = shell(t, "sleep 2; exit 0")
	c.Memory = true
	if u, err = Run(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if m := u.Memory; m.Children != 1 || m.Parent <= 0 || m.ChildMax <= 0 || m.Total != m.Parent+m.ChildMax {
		t.Errorf("got %+v, want a parent and a child", m)
	}
}

func TestFailure(t *testing.T) {
	if _, err := Run(t.Context(), shell(t, "echo no luck; exit 3")); err == nil || !strings.Contains(err.Error(), "no luck") {
		t.Errorf("got %v, want the output of the program", err)
	}
	c := shell(t, "exec sleep 60")
	c.Timeout = 50 * time.Millisecond
	if _, err := Run(t.Context(), c); err == nil || !strings.Contains(err.Error(), "longer than 50ms") {
		t.Errorf("got %v, want an error about the timeout", err)
	}
}

func TestFirst(t *testing.T) {
	if got := first("hello\nfirst 1500\n"); got != 1500 {
		t.Errorf("got %v, want 1.5µs", got)
	}
}
