package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// columns is the width of the help.
const columns = 100

// help returns what --help prints: the usage, the flags by group, the exit status, and for the root
// the commands and the table of errors.
func help(cmd *cobra.Command) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\nUsage:\n  %s\n", cmd.Long, cmd.UseLine())
	if cmd.HasAvailableSubCommands() {
		b.WriteString("\nCommands:\n")
		for _, sub := range cmd.Commands() {
			if sub.IsAvailableCommand() {
				fmt.Fprintf(&b, "  %-12s %s\n", sub.Name(), sub.Short)
			}
		}
		fmt.Fprintf(&b, "  %s COMMAND --help has the flags of each.\n", cmd.CommandPath())
	}
	for _, title := range titles {
		set := pflag.NewFlagSet(title, pflag.ContinueOnError)
		set.SortFlags = false
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if titleOf(f) == title {
				set.AddFlag(f)
			}
		})
		if set.HasAvailableFlags() {
			fmt.Fprintf(&b, "\n%s:\n%s", title, set.FlagUsagesWrapped(columns))
		}
	}
	if cmd.Flags().Lookup("region") != nil {
		b.WriteString("\n" + selectionText + "\n" + statusText)
	}
	if !cmd.HasParent() {
		b.WriteString("\nErrors, by the code that --json prints, and what to do:\n")
		for i := range advices {
			fmt.Fprintf(&b, "  %s\n", advices[i].name())
			for _, line := range wrap(advices[i].todo, 82) {
				fmt.Fprintf(&b, "      %s\n", line)
			}
		}
	}
	return b.String()
}

func titleOf(f *pflag.Flag) string {
	if title := f.Annotations[group]; len(title) > 0 {
		return title[0]
	}
	return otherTitle
}

// name returns the codes of a row.
func (a *advice) name() string {
	s := strings.Join(a.codes, ", ")
	if a.only != nil && a.only.name != "" {
		s += " " + a.only.name
	}
	return s
}

// wrap breaks text into lines of at most a number of columns.
func wrap(text string, columns int) (lines []string) {
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > columns {
			lines = append(lines, line)
			line = ""
		}
		line = strings.TrimSpace(line + " " + word)
	}
	return append(lines, line)
}
