package client

import "testing"

func TestVersion(t *testing.T) {
	for out, want := range map[string]string{
		"rclone v1.76.0\n- os/version: debian 12.2\n":                "1.76.0",
		"aws-cli/1.45.11 Python/3.11.7 Linux/6.1 botocore/1.43.11\n": "1.45.11",
		"curl 7.88.1 (x86_64-pc-linux-gnu) libcurl/7.88.1\n":         "7.88.1",
		"aria2 version 1.36.0\n":                                     "1.36.0",
		"v2.3.0-991c9fb\n":                                           "2.3.0",
		"":                                                           "",
	} {
		if got := version(out); got != want {
			t.Errorf("%q: got %q, want %q", out, got, want)
		}
	}
}
