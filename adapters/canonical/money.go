package canonical

import (
	"encoding/json"
	"math/big"
	"regexp"
	"strconv"
	"strings"

	"relay/internal/relay"
)

// maxNumber is longer than any sum of money.
const maxNumber = 40

// Money is the value of the event, to the digit as it was written, and its currency; both are "" if the payload has no value. A
// value that is not a decimal number from 0 up, a malformed currency and a value without any currency are
// refused: a platform that guesses "USD" reports wrong sums for good.
func (f *Fields) Money() (json.Number, string, error) {
	value, err := f.value()
	if err != nil || value == "" {
		return "", "", err
	}
	currency, err := f.currency()
	return value, currency, err
}

// Amount is the first number from 0 up among payload fields, as it was written: a tax, a shipping fee.
func (f *Fields) Amount(fields ...string) json.Number {
	return json.Number(f.read(query{names: fields, clean: pathless(amount)}))
}

func (f *Fields) value() (json.Number, error) {
	const field = "order_revenue"
	for _, name := range spellings[field] {
		path, raw := f.source.find(name)
		text := strings.TrimSpace(string(raw))
		if path == "" || !f.permits(path, name, field) || text == "" || text == "null" || text == `""` {
			continue
		}
		v := (relay.Payload{"v": raw}).Number("v")
		if !isAmount(v) {
			return "", relay.Refuse(relay.ReasonInvalidField, path)
		}
		f.markSent(path)
		return v, nil
	}
	return "", nil
}

// currency reads the payload's own also where an allow-list leaves it out: a value in euros must not leave as dollars.
func (f *Fields) currency() (string, error) {
	const field = "currency"
	path, raw := f.source.first(spellings[field])
	c := relay.Payload{"v": raw}.Text("v")
	if c == "" && len(raw) > 0 && raw[0] != '"' { // ["EUR"]: the storefront's would be another currency
		return "", relay.Refuse(relay.ReasonInvalidField, field)
	}
	if c == "" || covers(f.lists.deny, path, field) {
		if c = strings.TrimSpace(f.event.Storefront.Currency); c != "" {
			f.Warn("the value has no currency of its own: the storefront's is sent")
		}
	} else {
		f.markSent(path)
	}
	if c == "" {
		return "", relay.Refuse(relay.ReasonMissingField, field)
	}
	c = strings.ToUpper(c)
	if !currencyCode.MatchString(c) {
		return "", relay.Refuse(relay.ReasonInvalidField, field)
	}
	return c, nil
}

var (
	currencyCode = regexp.MustCompile(`^[A-Z]{3}$`)
	countDigits  = regexp.MustCompile(`^(0|[1-9][0-9]{0,8})$`)
)

// isAmount reports whether v is a number from 0 up that a float can hold.
func isAmount(v json.Number) bool {
	if v == "" || v[0] == '-' || len(v) > maxNumber {
		return false
	}
	_, err := strconv.ParseFloat(string(v), 64)
	return err == nil
}

// count is s where it is a whole number from 0 to 999,999,999.
func count(s string) json.Number {
	if !countDigits.MatchString(s) {
		return ""
	}
	return json.Number(s)
}

// Decimal is a number as a text without an exponent: "80.79" as it is, "1e3" as "1000"; "" where that would be absurdly long.
func Decimal(n json.Number) string {
	s := string(n)
	i := strings.IndexAny(s, "eE")
	if i < 0 {
		return s
	}
	exponent, err := strconv.Atoi(s[i+1:])
	if err != nil || exponent < -maxNumber || exponent > maxNumber { // big numbers take their time
		return ""
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		return ""
	}
	places, _ := r.FloatPrec()
	if s = r.FloatString(places); len(s) > maxNumber {
		return ""
	}
	return s
}
