// Package manual writes the manual pages of the commands, for the tests that hold them to --help.
package manual

import "strings"

// Section adds a section with the text as it is (groff_man(7)).
func Section(b *strings.Builder, title, text string) {
	b.WriteString(".SH " + strings.ToUpper(title) + "\n.nf\n")
	for line := range strings.Lines(text) {
		line = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(line)
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			line = `\&` + line
		}
		b.WriteString(line)
	}
	b.WriteString(".fi\n")
}
