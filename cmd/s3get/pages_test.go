package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/s3processpool/processpool/internal/test/leak"
)

// The pages for users of other tools name only commands and flags that s3get has.
func TestPages(t *testing.T) {
	leak.Check(t)
	p := &program{arguments: newArguments()}
	root := p.commands()
	pages := []string{"docs/aws.md", "docs/rclone.md", "docs/s5cmd.md"}
	flag, code := regexp.MustCompile(`--([a-z-]+)`), regexp.MustCompile("`[^`]*`")
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		seen := 0
		for line := range strings.Lines(string(text)) {
			cells := strings.Split(strings.ReplaceAll(line, `\|`, ""), "|")
			if len(cells) != 4 {
				continue
			}
			for _, span := range code.FindAllString(cells[2], -1) {
				if words := strings.Fields(strings.Trim(span, "`")); words[0] == "s3get" && !strings.HasPrefix(words[1], "-") && !strings.Contains(words[1], "s3://") {
					if cmd, _, err := root.Find(words[1:2]); err != nil || cmd == root {
						t.Errorf("%s: %s has no command of s3get", page, span)
					}
				}
				for _, name := range flag.FindAllStringSubmatch(span, -1) {
					if seen++; !isFlag(root, name[1]) {
						t.Errorf("%s: %s has no flag of s3get", page, span)
					}
				}
			}
		}
		if seen < 10 {
			t.Errorf("%s: got %d flags", page, seen)
		}
	}
}
