package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// userConfigDir is where the file of defaults is, below s3get. Tests have another.
var userConfigDir = os.UserConfigDir

// defaults sets the flags that the command line does not have: from the environment, S3GET_ and the
// name in capitals with underscores, or else from the file of defaults.
func (a *arguments) defaults(flags *pflag.FlagSet, root *cobra.Command) (err error) {
	if name := os.Getenv("S3GET_CONFIG"); a.config == "" {
		a.config = name
	}
	file, err := a.readDefaults(root)
	if err != nil {
		return err
	}
	var faults []error
	flags.VisitAll(func(f *pflag.Flag) {
		if a.given[f.Name] || !hasDefault(f.Name) {
			return
		}
		from, values := variable(f.Name), file[f.Name]
		if text, ok := os.LookupEnv(from); ok {
			values = []entry{{from, text}}
		}
		for _, v := range values {
			if err := flags.Set(f.Name, v.text); err != nil {
				faults = append(faults, fmt.Errorf("%s: %q for %s: %w", v.from, v.text, f.Name, reason(err)))
			}
		}
	})
	return errors.Join(faults...)
}

// hasDefault reports whether a flag can be set outside the command line.
func hasDefault(name string) bool {
	return name != "help" && name != "version" && name != "config"
}

// variable returns the name of a flag's environment variable.
func variable(flag string) string {
	return "S3GET_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// reason returns what is wrong with a value, without pflag's words about the command line.
func reason(err error) error {
	if cause := errors.Unwrap(err); cause != nil {
		return cause
	}
	return err
}

// entry is a value of the file of defaults, or of the environment.
type entry struct{ from, text string }

// readDefaults reads the file of defaults: lines of a name, an equals sign and a value.
func (a *arguments) readDefaults(root *cobra.Command) (map[string][]entry, error) {
	name := a.config
	if name == "" {
		dir, err := userConfigDir()
		if err != nil {
			return nil, nil // such as a user without a home
		}
		name = filepath.Join(dir, "s3get", "config")
	}
	f, err := os.Open(name)
	switch {
	case errors.Is(err, fs.ErrNotExist) && a.config == "":
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("--config: %w", err)
	}
	defer f.Close()
	entries := map[string][]entry{}
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		flag, text, equals := strings.Cut(line, "=")
		flag, from := strings.TrimSpace(flag), fmt.Sprintf("%s:%d", name, n)
		switch {
		case !equals:
			return nil, fmt.Errorf("%s: %q is not of the form name = value", from, line)
		case !hasDefault(flag) || !isFlag(root, flag):
			return nil, fmt.Errorf("%s: %q is no flag of s3get that can have a default", from, flag)
		}
		entries[flag] = append(entries[flag], entry{from, strings.TrimSpace(text)})
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("--config: %s: %w", name, err)
	}
	return entries, nil
}

// isFlag reports whether a command has the flag.
func isFlag(root *cobra.Command, name string) bool {
	if root.Flags().Lookup(name) != nil {
		return true
	}
	for _, cmd := range root.Commands() {
		if cmd.Flags().Lookup(name) != nil {
			return true
		}
	}
	return false
}
