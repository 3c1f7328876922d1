package failure_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/aws/smithy-go"

	"github.com/s3processpool/processpool/internal/failure"
)

func TestCut(t *testing.T) {
	for _, unit := range []string{"x", "ü", "€", "𝄞", "\x80", "\xff", "<"} {
		for _, n := range []int{0, 1, 99, 100, 101, 102, 103, 104, 5000} {
			text := strings.Repeat(unit, n)
			got := failure.Cut(text, 100)
			if len(text) <= 100 {
				if got != text {
					t.Errorf("%d of %q: got %q, want it as it is", n, unit, got)
				}
				continue
			}
			kept, note, found := strings.Cut(got, "...")
			if !found || !strings.HasPrefix(text, kept) || len(got) > 100 || len(kept) < 60 {
				t.Errorf("%d of %q: got %q", n, unit, got)
			}
			if utf8.ValidString(text) != utf8.ValidString(kept) || !strings.Contains(note, "bytes in all") {
				t.Errorf("%d of %q: got %q", n, unit, got)
			}
			if again := failure.Cut(got, 100); again != got {
				t.Errorf("cut again: got %q, want %q", again, got)
			}
		}
	}
}

// TestPackIsBounded: whatever a server sends, an error that crosses is small, and is still found.
func TestPackIsBounded(t *testing.T) {
	huge := strings.Repeat("<\x01ü", 10<<20/4)
	for name, err := range map[string]error{
		"text": errors.Join(failure.ErrStalled, errors.New(huge)),
		"API": errors.Join(failure.ErrStalled, &smithy.OperationError{
			ServiceID: "S3", OperationName: huge, Err: &smithy.GenericAPIError{Code: huge, Message: huge},
		}),
	} {
		w := failure.Pack(err)
		p, jsonErr := json.Marshal(w)
		if jsonErr != nil || len(p) > 100<<10 || !bytes.Contains(p, []byte("bytes in all")) {
			t.Errorf("%s: got %d bytes, %v", name, len(p), jsonErr)
		}
		if len(w.Text) > failure.MaxText || !strings.HasPrefix(w.Text, failure.ErrStalled.Error()) {
			t.Errorf("%s: got a text of %d bytes: %.80q", name, len(w.Text), w.Text)
		}
		if !errors.Is(w.Unpack(), failure.ErrStalled) {
			t.Errorf("%s: it is not ErrStalled any more", name)
		}
	}
}
