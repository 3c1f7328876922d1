package measure

import (
	"maps"
	"os/exec"
	"strings"
	"testing"
)

func TestCount(t *testing.T) {
	const log = `10    execve("./app", ["./app"], 0x7ffc /* 35 vars */) = 0
10    clone3({flags=CLONE_VM|CLONE_THREAD, stack=0x7f <unfinished ...>
11    read(3,  <unfinished ...>
10    <... clone3 resumed> => {parent_tid=[11]}, 88) = 11
11    <... read resumed>"= 12", 4)     = 4
--- SIGURG {si_signo=SIGURG} ---
10    --- SIGURG {si_signo=SIGURG, si_code=SI_TKILL} ---
11    clone(child_stack=NULL, flags=CLONE_VM|CLONE_VFORK|SIGCHLD <unfinished ...>
12    execve("/proc/self/exe", ["app"], 0x1 /* 1 var */) = 0
11    <... clone resumed>)             = 12
12    clone(child_stack=0xc0, flags=CLONE_VM|CLONE_THREAD, tls=0xc0) = 13
13    write(3, "x", 1)                  = 1
13    write(3, "y", 1)                  = 1
12    exit_group(0)                     = ?
13    +++ exited with 0 +++
`
	got, err := count(strings.NewReader(log))
	if err != nil {
		t.Fatal(err)
	}
	if want := map[string]int{"execve": 1, "clone3": 1, "read": 1, "clone": 1}; !maps.Equal(got.First, want) {
		t.Errorf("the first process: got %v, want %v", got.First, want)
	}
	if want := map[string]int{"execve": 1, "clone": 1, "write": 2, "exit_group": 1}; !maps.Equal(got.Others, want) {
		t.Errorf("the others: got %v, want %v", got.Others, want)
	}
	if n := Total(got.Others); n != 5 {
		t.Errorf("got %d calls of the others, want 5", n)
	}
}

func TestTrace(t *testing.T) {
	if _, err := exec.LookPath("strace"); err != nil {
		t.Skip("strace is not installed")
	}
	got, err := Trace(t.Context(), shell(t, "cat /dev/null; exit 0"))
	if err != nil {
		t.Fatal(err)
	}
	if got.First["execve"] != 1 || got.Others["execve"] != 1 || got.Others["openat"] == 0 {
		t.Errorf("got %v, want a shell and a cat", got)
	}
}
