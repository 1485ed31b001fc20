package relay

import (
	"html"
	"regexp"
	"strconv"
	"strings"
)

// maxLayers is the number of decodings after which a text counts as obfuscated.
const maxLayers = 8

// Reveals reports whether a text contains something that a vendor must not read: an e-mail address, or the name of an event that has
// another one there; name may be "". Neither case, punctuation, percent-encoding, HTML's references nor the escapes of
// JavaScript hide it, also where they are nested: "RX%255Fissued" and "/rx/issued" hold "rx_issued".
func Reveals(text, name string) bool {
	name = FoldName(name)
	return inALayer(narrowed(text), narrowDecoded, func(text string) bool {
		return ContainsEmail(text) || name != "" && strings.Contains(FoldName(text), name)
	})
}

// inALayer reports whether something holds of a text or of what its encodings hide. A text with too many of them counts as holding it.
func inALayer(text string, decode func(string) string, holds func(string) bool) bool {
	for range maxLayers {
		if holds(text) {
			return true
		}
		plain := decode(text)
		if plain == text {
			return false
		}
		text = plain
	}
	return true
}

func narrowed(text string) string { return strings.Map(narrow, text) }

func narrowDecoded(text string) string { return narrowed(decoded(text)) }

// telephone is a telephone number as people write it and programs write no id: with its country, or in groups. A social
// security number is written in groups as well.
var telephone = regexp.MustCompile(`(?:^|[^\pL\pN])\+[1-9](?:[ ().\x{a0}\x{2010}-\x{2013}-]{0,2}[0-9]){9,14}(?:$|[^\pL\pN])|` +
	`(?:^|[^\pL\pN.-])(?:1[ .-])?(?:\([0-9]{3}\) ?[0-9]{3}[ .-][0-9]{4}|[0-9]{3}([ .-])[0-9]{3}[ .-][0-9]{4}|[0-9]{3}-[0-9]{2}-[0-9]{4})(?:$|[^\pL\pN.-])`)

// HoldsTelephone reports whether a text has a telephone number or a social security number in it, as people write them.
// Digits alone may be any id.
func HoldsTelephone(text string) bool {
	return inALayer(narrowed(text), narrowDecoded, telephone.MatchString)
}

// HoldsWord reports whether a text has a word in it with no letter and no digit beside it. An encoding does not hide it; the word's case
// counts. No text holds "".
func HoldsWord(text, word string) bool {
	return word != "" && inALayer(text, decoded, func(text string) bool { return holdsWord(text, word) })
}

func holdsWord(text, word string) bool {
	for at := 0; ; {
		i := strings.Index(text[at:], word)
		if i < 0 {
			return false
		}
		from, to := at+i, at+i+len(word)
		if (from == 0 || !isWordByte(text[from-1])) && (to == len(text) || !isWordByte(text[to])) {
			return true
		}
		at = from + 1
	}
}

func isWordByte(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || c >= 0x80
}

// decoded is a text without its outer layer of encodings.
func decoded(text string) string { return html.UnescapeString(percentDecoded(unescaped(text))) }

// codeUnit is a character as JavaScript writes it: \u0040, \x40, and %u0040 by its old escape function.
var codeUnit = regexp.MustCompile(`(?i)(?:\\u|%u)([0-9a-f]{4})|\\x([0-9a-f]{2})`)

func unescaped(s string) string {
	if !strings.ContainsAny(s, `\%`) {
		return s
	}
	return codeUnit.ReplaceAllStringFunc(s, func(unit string) string {
		n, err := strconv.ParseUint(unit[2:], 16, 32)
		if err != nil {
			return unit
		}
		return string(rune(n))
	})
}

// narrow is the ASCII character of one that looks like it: of a full-width one, a small one, one in a circle, one of mathematics.
func narrow(r rune) rune {
	switch {
	case r >= '！' && r <= '～':
		return r - '！' + '!'
	case r >= 'ⓐ' && r <= 'ⓩ':
		return r - 'ⓐ' + 'a'
	case r >= 'Ⓐ' && r <= 'Ⓩ':
		return r - 'Ⓐ' + 'a'
	case r >= '𝐀' && r <= '𝚣': // alphabets of 26 capital and 26 small letters
		return 'a' + (r-'𝐀')%26
	case r >= '𝟎' && r <= '𝟿':
		return '0' + (r-'𝟎')%10
	}
	if plain, ok := lookalikes[r]; ok {
		return plain
	}
	return r
}

var lookalikes = map[rune]rune{'﹫': '@', '。': '.', '｡': '.', '﹒': '.', '․': '.', 'ı': 'i', 'ſ': 's', '\u212a': 'k', 'ℎ': 'h'}

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

// hexDigit returns the value of a hexadecimal digit, or -1.
func hexDigit(c byte) int {
	if c >= 'A' && c <= 'F' {
		c += 'a' - 'A'
	}
	return strings.IndexByte("0123456789abcdef", c)
}
