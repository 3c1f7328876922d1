package main

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"
)

// released is the version that release/build sets; "": Go's own.
var released string

// versionLine returns what s3get version prints.
func versionLine() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "s3get (unknown version)"
	}
	if released != "" {
		info.Main.Version = released
	}
	return versionOf(info)
}

// versionOf describes a build: the version of s3get and of the library, the commit, the compiler.
func versionOf(info *debug.BuildInfo) string {
	s := "s3get " + cmp.Or(info.Main.Version, "(devel)")
	for _, m := range info.Deps {
		if m.Path != "github.com/s3processpool/processpool" {
			continue
		}
		if m.Replace != nil { // by a folder, which has no version
			s += ", processpool " + cmp.Or(m.Replace.Version, "(devel)")
		} else {
			s += ", processpool " + m.Version
		}
	}
	settings := map[string]string{}
	for _, setting := range info.Settings {
		settings[setting.Key] = setting.Value
	}
	if revision := settings["vcs.revision"]; revision != "" {
		s += ", commit " + revision[:min(len(revision), 12)]
		if settings["vcs.modified"] == "true" {
			s += " with changes"
		}
	}
	return fmt.Sprintf("%s, %s %s/%s", s, info.GoVersion, runtime.GOOS, runtime.GOARCH)
}
