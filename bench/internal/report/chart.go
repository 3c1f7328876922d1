package report

import (
	"fmt"
	"html"
	"slices"
	"strings"
	"unicode/utf8"
)

// Chart is a chart of horizontal bars, in which shorter is better.
type Chart struct {
	Title string
	Unit  string
	Bars  []Bar
}

// Bar is one bar of a Chart.
type Bar struct {
	Label  string
	Value  Stat   // the bar's length is the median; a tick marks the minimum
	Remark string // shown after the figure
	Accent bool   // highlight the bar
}

// Dimensions in pixels.
const (
	labelWidth  = 250 // at least; see Chart.labels
	letterWidth = 7   // of a label, on average, in a wide font
	barsWidth   = 340
	figureWidth = 230
	lineHeight  = 26
	headHeight  = 52
)

// chartStyle follows the reader's color scheme, also when a page shows the file as an image.
const chartStyle = `
  text { font: 13px system-ui, sans-serif; fill: #1f2328; }
  .title { font-weight: 600; font-size: 15px; }
  .soft { fill: #59636e; }
  .bar { fill: #8c959f; }
  .accent { fill: #0969da; }
  .tick { stroke: #1f2328; stroke-width: 2; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .soft { fill: #9198a1; }
    .bar { fill: #656c76; }
    .accent { fill: #4493f8; }
    .tick { stroke: #e6edf3; }
  }
`

// SVG returns the chart as an SVG document.
func (c Chart) SVG() string {
	scale, labels := barsWidth/c.longest(), c.labels()
	width, height := labels+barsWidth+figureWidth, headHeight+lineHeight*len(c.Bars)+8
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-label="%s">`+"\n",
		width, height, width, height, html.EscapeString(c.Title))
	fmt.Fprintf(&b, "<style>%s</style>\n", chartStyle)
	fmt.Fprintf(&b, `<text x="8" y="20" class="title">%s</text>`+"\n", html.EscapeString(c.Title))
	fmt.Fprintf(&b, `<text x="8" y="39" class="soft">%s, median of the runs; the tick is the minimum</text>`+"\n", html.EscapeString(c.Unit))
	for i, bar := range c.Bars {
		bar.draw(&b, labels, headHeight+lineHeight*i, scale)
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// broken is the maximum ratio of a bar to the median bar. Longer bars are drawn with a gap, so that
// one slow client does not make all other bars look the same.
const broken = 6

// longest returns the value that takes the whole width.
func (c Chart) longest() float64 {
	var all []float64
	for _, bar := range c.Bars {
		all = append(all, bar.Value.Median)
	}
	return min(slices.Max(all), broken*Of(all).Median)
}

// labels returns the width of the labels' column, which has room for the longest.
func (c Chart) labels() int {
	width := labelWidth
	for _, bar := range c.Bars {
		width = max(width, letterWidth*utf8.RuneCountInString(bar.Label)+16)
	}
	return width
}

// draw draws the bar and its texts. The bar begins at x; its line is below y.
func (bar Bar) draw(b *strings.Builder, x, y int, scale float64) {
	class := "bar"
	if bar.Accent {
		class = "accent"
	}
	length, least := min(bar.Value.Median*scale, barsWidth), min(bar.Value.Min*scale, barsWidth)
	middle := y + lineHeight/2 + 4
	fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="end">%s</text>`+"\n", x-8, middle, html.EscapeString(bar.Label))
	if bar.Value.Median*scale > barsWidth+1 { // draw a gap near the end
		fmt.Fprintf(b, `<path d="M%d %dh%dl-6 %dh-%dz" class="%s"/>`+"\n", x, y+4, barsWidth-24, lineHeight-8, barsWidth-30, class)
		fmt.Fprintf(b, `<path d="M%d %dh18v%dh-24z" class="%s"/>`+"\n", x+barsWidth-18, y+4, lineHeight-8, class)
	} else {
		fmt.Fprintf(b, `<rect x="%d" y="%d" width="%.1f" height="%d" class="%s"/>`+"\n", x, y+4, length, lineHeight-8, class)
	}
	fmt.Fprintf(b, `<line x1="%.1f" x2="%.1f" y1="%d" y2="%d" class="tick"/>`+"\n", float64(x)+least, float64(x)+least, y+3, y+lineHeight-3)
	fmt.Fprintf(b, `<text x="%.1f" y="%d">%s <tspan class="soft">%s</tspan></text>`+"\n",
		float64(x)+length+8, middle, Number(bar.Value.Median), html.EscapeString(bar.Remark))
}

// Number formats x with about three digits.
func Number(x float64) string {
	switch {
	case x >= 100:
		return fmt.Sprintf("%.0f", x)
	case x >= 10:
		return fmt.Sprintf("%.1f", x)
	}
	return fmt.Sprintf("%.2f", x)
}
