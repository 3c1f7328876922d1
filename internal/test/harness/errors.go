package harness

import (
	"errors"
	"testing"

	"github.com/s3processpool/processpool"
)

// WantError fails the test unless err is a TransferError and matches all of want.
func WantError(t *testing.T, err error, want ...error) {
	t.Helper()
	TransferError(t, err)
	wantAll(t, err, want)
}

// WantDirectoryError fails the test unless err is a DirectoryError with this number of failed
// objects and matches all of want.
func WantDirectoryError(t *testing.T, err error, failed int64, want ...error) *processpool.DirectoryError {
	t.Helper()
	var all *processpool.DirectoryError
	if !errors.As(err, &all) {
		t.Fatalf("got error %v (%T), want a *DirectoryError", err, err)
	}
	if all.Failed != failed {
		t.Errorf("got %d failed in %q, want %d", all.Failed, err, failed)
	}
	wantAll(t, err, want)
	return all
}

func wantAll(t *testing.T, err error, want []error) {
	t.Helper()
	for _, w := range want {
		if !errors.Is(err, w) {
			t.Errorf("got error %q, want one that is %q", err, w)
		}
	}
}

// Is reports whether errors.As finds an E in err.
func Is[E error](err error) bool {
	var target E
	return errors.As(err, &target)
}

// TransferError returns err as the error of a download. It ends the test if it is none.
func TransferError(t *testing.T, err error) *processpool.TransferError {
	t.Helper()
	var e *processpool.TransferError
	if !errors.As(err, &e) {
		t.Fatalf("got error %v (%T), want a *TransferError", err, err)
	}
	return e
}
