package main

import (
	"fmt"
	"strings"
)

// cell escapes a text for the cell of a Markdown table.
func cell(s string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "<", "&lt;", "*", `\*`, "_", `\_`).Replace(s)
}

// fields lists the fields of a platform's credential: bold ones are secret, those with a question mark optional.
func fields(p platform) string {
	var s []string
	for _, c := range p.Credentials {
		f := "`" + c.Field + "`"
		if c.Secret {
			f = "**" + f + "**"
		}
		if !c.Required {
			f += "?"
		}
		s = append(s, f)
	}
	return strings.Join(s, ", ")
}

// address returns the base URL of a platform's API and its form of authentication.
func address(p platform) string {
	auth := cell(p.Auth)
	if n := p.Limits.PerSecond; n > 0 {
		auth += fmt.Sprintf("; %v a second", n)
	}
	if p.BaseURL == "" {
		return auth
	}
	return "`" + p.BaseURL + "`: " + auth
}

// linked returns a platform's name as a link to its documentation, and its vendor unless the name contains it.
func linked(p platform) string {
	s := cell(p.Name)
	if p.DocsURL != "" {
		s = "[" + s + "](" + p.DocsURL + ")"
	}
	if !strings.Contains(strings.ToLower(p.Name), strings.ToLower(strings.Fields(p.Vendor + " ?")[0])) {
		s += ", " + cell(p.Vendor)
	}
	if !p.Confirmed {
		s += " (?)"
	}
	return s
}

// width is the longest line of prose.
const width = 120

// wrap breaks the lines that have become too long by inserted names. Tables, headings and comments stay as they are.
func wrap(page string) string {
	var out []string
	for line := range strings.SplitSeq(page, "\n") {
		for len(line) > width && !strings.HasPrefix(line, "|") && !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "<!--") {
			i := strings.LastIndex(line[:width], " ")
			if i < 0 {
				break
			}
			out = append(out, line[:i])
			line = line[i+1:]
		}
		out = append(out, line)
	}
	return strings.Join(out, "\n")
}
