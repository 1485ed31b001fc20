package relay

import (
	"html"
	"strings"
)

// maxLayers is how often a text is decoded before it counts as hiding something.
const maxLayers = 8

// Reveals reports whether a text tells a vendor what it must not read: an e-mail address, or the name of an event that has
// another one there; name may be "". Neither case, punctuation, percent-encoding nor HTML's references hide it, also where
// they are nested: "RX%255Fissued" and "/rx/issued" hold "rx_issued".
func Reveals(text, name string) bool {
	name = FoldName(name)
	for range maxLayers {
		text = strings.Map(narrow, text)
		if HoldsMailAddress(text) || name != "" && strings.Contains(FoldName(text), name) {
			return true
		}
		plain := html.UnescapeString(percentDecoded(text))
		if plain == text {
			return false
		}
		text = plain
	}
	return true
}

// narrow is the ASCII character of a full-width one.
func narrow(r rune) rune {
	if r >= '！' && r <= '～' {
		return r - '！' + '!'
	}
	return r
}

// percentDecoded is s with every percent-encoded byte decoded; a "%" that encodes nothing stays.
func percentDecoded(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			hi, lo := hexDigit(s[i+1]), hexDigit(s[i+2])
			if hi >= 0 && lo >= 0 {
				b.WriteByte(byte(hi<<4 | lo))
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// hexDigit is -1 for what is none.
func hexDigit(c byte) int {
	if c >= 'A' && c <= 'F' {
		c += 'a' - 'A'
	}
	return strings.IndexByte("0123456789abcdef", c)
}
