package e2e_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/s3processpool/processpool"
)

// TestFormatHidesTheKey: whatever a program prints of its arguments, a customer's key is not in it,
// and the other arguments are.
func TestFormatHidesTheKey(t *testing.T) {
	const key = "0123456789abcdef0123456789abcdef"
	args := processpool.ExtraArgs{SSECustomerAlgorithm: "AES256", SSECustomerKey: key, VersionId: "v1"}
	options := processpool.DownloadOptions{ExtraArgs: args}
	meta := processpool.Meta{Bucket: "b", DownloadOptions: options}
	for _, v := range []any{args, &args, options, &options, meta, &meta, []processpool.Meta{meta}, map[string]processpool.ExtraArgs{"a": args}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%60v"} {
			got := fmt.Sprintf(verb, v)
			if strings.Contains(got, key) || strings.Contains(strings.ToLower(got), fmt.Sprintf("%x", key)) {
				t.Errorf("%s of a %T: got %s", verb, v, got)
			}
		}
		if got := fmt.Sprintf("%+v", v); strings.Contains(got, "AES256") && !strings.Contains(got, "SSECustomerKey:(hidden)") {
			t.Errorf("got %s of a %T", got, v)
		}
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "v", v)
		if strings.Contains(log.String(), key) {
			t.Errorf("slog of a %T: got %s", v, &log)
		}
	}
	if got, want := fmt.Sprintf("%#v", processpool.ExtraArgs{VersionId: "v1"}), `processpool.ExtraArgs{ChecksumMode:"", VersionId:"v1", `; !strings.HasPrefix(got, want) {
		t.Errorf("got %s, want %s...", got, want)
	}
	if got := fmt.Sprintf("%+v", processpool.ExtraArgs{}); strings.Contains(got, "hidden") {
		t.Errorf("got %s", got)
	}
	if args.SSECustomerKey != key {
		t.Error("the key itself has changed")
	}
}
