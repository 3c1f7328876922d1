package main

import (
	"bytes"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/s3processpool/processpool/internal/test/leak"
)

func TestVersion(t *testing.T) {
	leak.Check(t)
	const library = "github.com/s3processpool/processpool"
	build := func(main string, dep debug.Module, settings ...debug.BuildSetting) *debug.BuildInfo {
		return &debug.BuildInfo{GoVersion: "go1.26.0", Main: debug.Module{Version: main}, Deps: []*debug.Module{{Path: "other"}, &dep}, Settings: settings}
	}
	for _, c := range []struct {
		build *debug.BuildInfo
		want  string
	}{
		{build("v1.2.3", debug.Module{Path: library, Version: "v0.1.0"}), "s3get v1.2.3, processpool v0.1.0, go1.26.0 "},
		{build("", debug.Module{Path: library, Version: "v0.0.0", Replace: &debug.Module{Path: "../.."}},
			debug.BuildSetting{Key: "vcs.revision", Value: "0123456789abcdef"}, debug.BuildSetting{Key: "vcs.modified", Value: "true"}),
			"s3get (devel), processpool (devel), commit 0123456789ab with changes, go1.26.0 "},
	} {
		if got := versionOf(c.build); !strings.HasPrefix(got, c.want) {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
	var stdout, stderr bytes.Buffer
	if status := run(t.Context(), []string{"--version"}, &stdout, &stderr); status != 0 || stderr.Len() > 0 {
		t.Errorf("got status %d, %q", status, &stderr)
	}
	wantText(t, "stdout", stdout.String(), "s3get ", " go1.")
}
