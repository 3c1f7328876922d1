package fence

import (
	"os"
	"testing"
	"time"
)

// The rules of one start serve those that follow at once, and are not kept for longer.
func TestRulesAreKept(t *testing.T) {
	p := New(Options{Program: "/proc/self/exe", Ports: []uint16{443}})
	if p.landlock == 0 {
		t.Skip("there is no Landlock here")
	}
	kept := func() *os.File {
		p.made.Lock()
		defer p.made.Unlock()
		return p.made.rules
	}
	restrict := func() *os.File {
		t.Helper()
		if err := OnThread(p.Restrict); err != nil {
			t.Fatal(err)
		}
		return kept()
	}
	first := restrict()
	if second := restrict(); first == nil || second != first {
		t.Errorf("got the rules %p and then %p, want the same", first, second)
	}
	p.Forget()
	if kept() != nil || first.Close() == nil {
		t.Error("Forget has left the rules open")
	}
	next := restrict()
	for deadline := time.Now().Add(time.Minute); kept() == next; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the rules are kept for ever")
		}
	}
	if next.Close() == nil {
		t.Error("old rules were left open")
	}
}
