package main

import (
	"strings"

	"github.com/spf13/cobra"
)

// modern rewrites the flags of earlier versions of s3get, which were those of Go's package flag: one
// dash or two, however long the name. It leaves alone what follows a "--".
func modern(args []string, root *cobra.Command) []string {
	known := func(name string) bool {
		return name == "help" || root.Flags().Lookup(name) != nil
	}
	rewritten := make([]string, len(args))
	copy(rewritten, args)
	for i, arg := range rewritten {
		if arg == "--" {
			break
		}
		dashes := len(arg) - len(strings.TrimLeft(arg, "-"))
		name, _, _ := strings.Cut(arg[dashes:], "=")
		switch {
		case dashes == 1 && len(name) > 1 && known(name):
			rewritten[i] = "-" + arg
		case dashes == 2 && len(name) == 1:
			rewritten[i] = arg[1:]
		}
	}
	return rewritten
}

// wantsJSON reports whether a command line that could not be parsed asks for JSON.
func wantsJSON(args []string) bool {
	for _, arg := range args {
		switch arg {
		case "--json", "-json", "--json=true", "-json=true":
			return true
		case "--":
			return false
		}
	}
	return false
}
