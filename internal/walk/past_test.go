package walk

import (
	"errors"
	"fmt"
	"testing"

	"github.com/s3processpool/processpool/internal/failure"
	"github.com/s3processpool/processpool/internal/ipc"
)

// A listing whose tokens repeat ends with an error, after a number of pages that is near the period.
func TestTokensRepeat(t *testing.T) {
	for _, before := range []int{0, 1, 5, 1000} {
		for _, period := range []int{1, 2, 3, 7, 1000} {
			var p past
			n := 0
			for ; ; n++ {
				token := n
				if n >= before {
					token = before + (n-before)%period
				}
				err := p.add(&ipc.Page{Next: fmt.Sprint(token), Prefixes: 1})
				if errors.Is(err, failure.ErrUnexpected) {
					break
				}
				if n > 4*(before+period) {
					t.Fatalf("before=%d, period=%d: got %v after %d pages, want an error", before, period, err, n)
				}
			}
			if n < before+period {
				t.Errorf("before=%d, period=%d: got an error after %d pages, before a token came again", before, period, n)
			}
		}
	}
}

// Tokens that differ are no error, however many there are.
func TestTokensDiffer(t *testing.T) {
	var p past
	for n := range 100_000 {
		if err := p.add(&ipc.Page{Next: fmt.Sprint(n), Entries: make([]ipc.Entry, 1)}); err != nil {
			t.Fatalf("page %d: %v", n, err)
		}
	}
	if err := p.add(&ipc.Page{}); err != nil {
		t.Error(err)
	}
}

func TestPagesWithoutKeys(t *testing.T) {
	var p past
	for round := range 2 {
		for n := 1; n < maxEmpty; n++ {
			if err := p.add(&ipc.Page{Next: fmt.Sprint(round, n)}); err != nil {
				t.Fatalf("page %d: %v", n, err)
			}
		}
		if round == 0 {
			if err := p.add(&ipc.Page{Next: "a", Prefixes: 1}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := p.add(&ipc.Page{Next: "b"}); !errors.Is(err, failure.ErrUnexpected) {
		t.Errorf("got %v, want ErrUnexpected", err)
	}
}
