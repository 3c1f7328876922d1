package main

import (
	"encoding/xml"
	"fmt"
	"strings"
	"time"
)

// The size of a character and of the margin, in pixels.
const (
	charWidth, lineHeight, margin = 8.4, 18, 14
	fontSize                      = 14
)

// svg returns an animated image of the frames, which begins anew after two seconds. Where nothing is
// animated, it shows the last frame.
func svg(frames []frame) string {
	end := frames[len(frames)-1].at + 2*time.Second
	width, height := float64(columns)*charWidth+2*margin, float64(rows*lineHeight+2*margin)
	var b strings.Builder
	fmt.Fprintf(&b, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\">\n", width, height)
	b.WriteString("<title>s3get downloads four objects, and then what is new below a prefix</title>\n")
	fmt.Fprintf(&b, "<rect width=\"100%%\" height=\"100%%\" rx=\"8\" fill=\"#1b1f24\"><animate id=\"all\" attributeName=\"ry\" from=\"8\" to=\"8\" begin=\"0s;all.end\" dur=\"%.1fs\"/></rect>\n", end.Seconds())
	fmt.Fprintf(&b, "<g font-family=\"ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace\" font-size=\"%d\" fill=\"#d6dde4\" xml:space=\"preserve\">\n", fontSize)
	for i, f := range frames {
		last := i == len(frames)-1
		switch {
		case last:
			fmt.Fprintf(&b, "<g><set attributeName=\"visibility\" to=\"hidden\" begin=\"all.begin\" dur=\"%.1fs\"/>\n", f.at.Seconds())
		default:
			fmt.Fprintf(&b, "<g visibility=\"hidden\"><set attributeName=\"visibility\" to=\"visible\" begin=\"all.begin+%.1fs\" dur=\"%.1fs\"/>\n",
				f.at.Seconds(), (frames[i+1].at - f.at).Seconds())
		}
		for n, line := range strings.Split(strings.TrimRight(f.text, "\n"), "\n") {
			if line = strings.TrimRight(line, " "); line == "" {
				continue
			}
			fmt.Fprintf(&b, "<text x=\"%d\" y=\"%d\" textLength=\"%.1f\">%s</text>\n", margin, margin+(n+1)*lineHeight-4, float64(len([]rune(line)))*charWidth, escape(line))
		}
		b.WriteString("</g>\n")
	}
	b.WriteString("</g>\n</svg>\n")
	return b.String()
}

func escape(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a Builder takes everything
	return b.String()
}
