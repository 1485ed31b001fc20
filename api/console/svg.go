package console

import (
	"fmt"
	"html/template"
	"strings"
	"time"
)

// Charts are SVG made here: classes instead of styles, because of the page's policy; every bar has its counts as a title. What
// is written beside a chart is HTML: text within the picture would shrink with it.

// layer is one kind of part of a bar.
type layer struct {
	Class  string // c-delivered, ...
	Name   string
	Values []int64
}

// bars is a chart of stacked bars over time.
type bars struct {
	Label  string
	Times  []time.Time
	Layers []layer // from the bottom up
	Link   func(i int) string
	Title  func(i int) string
}

// chartHeight is in units of the picture; it is stretched to its place.
const chartHeight = 100

// SVG draws the chart.
func (b bars) SVG() template.HTML {
	var s strings.Builder
	n := len(b.Times)
	fmt.Fprintf(&s, `<svg class="chart" viewBox="0 0 %d %d" preserveAspectRatio="none" role="group" aria-label="%s">`, 10*n, chartHeight,
		template.HTMLEscapeString(b.Label))
	for y := 25; y < chartHeight; y += 25 {
		fmt.Fprintf(&s, `<path class="grid" d="M0 %dH%d"/>`, y, 10*n)
	}
	most := b.Most()
	for i := range b.Times {
		title := template.HTMLEscapeString(b.Title(i))
		fmt.Fprintf(&s, `<a href="%s" tabindex="-1" aria-label="%s"><title>%s</title>`, template.HTMLEscapeString(b.Link(i)), title, title)
		y := float64(chartHeight)
		for _, l := range b.Layers {
			if l.Values[i] == 0 || most == 0 {
				continue
			}
			h := max(1.5, float64(l.Values[i])/float64(most)*(chartHeight-2)) // what is there is seen, however little
			y -= h
			fmt.Fprintf(&s, `<rect class="%s" x="%d.8" y="%.4g" width="8.4" height="%.4g"/>`, l.Class, 10*i, max(0, y), h)
		}
		fmt.Fprintf(&s, `<rect class="hit" x="%d" y="0" width="10" height="%d"/></a>`, 10*i, chartHeight)
	}
	s.WriteString(`</svg>`)
	return template.HTML(s.String()) //nolint:gosec // every text in it is escaped above
}

// Most is the largest bar.
func (b bars) Most() int64 {
	var most int64
	for i := range b.Times {
		var sum int64
		for _, l := range b.Layers {
			sum += l.Values[i]
		}
		most = max(most, sum)
	}
	return most
}

// Total is the sum of a layer.
func (l layer) Total() int64 {
	var n int64
	for _, v := range l.Values {
		n += v
	}
	return n
}

// share draws parts of a whole as one bar.
func share(parts []layer) template.HTML {
	var all float64
	for _, p := range parts {
		all += float64(p.Total())
	}
	if all == 0 {
		return ""
	}
	var s, title strings.Builder
	x := 0.0
	for _, p := range parts {
		if p.Total() == 0 {
			continue
		}
		w := float64(p.Total()) / all * 100
		fmt.Fprintf(&s, `<rect class="%s" x="%.4g" y="5" width="%.4g" height="10"/>`, p.Class, x, max(w, 1))
		fmt.Fprintf(&title, "%s %.3g %%  ", p.Name, w)
		x += w
	}
	return template.HTML(fmt.Sprintf(`<svg class="spark" viewBox="0 0 100 20" preserveAspectRatio="none" aria-hidden="true"><title>%s</title>%s</svg>`, //nolint:gosec // escaped
		template.HTMLEscapeString(strings.TrimSpace(title.String())), s.String()))
}
