package relay

import (
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// form returns the part of a text that may be shown under a name, or Redacted. Numbers and truth values come as JSON writes them.
type form func(text string) string

// apply shows a value that has the form. A nil form shows nothing. An object has no form; of a list, each value must have it.
func (f form) apply(v any) any {
	if f == nil {
		return Redacted
	}
	switch v := v.(type) {
	case nil:
		return nil
	case string:
		return f.text(v)
	case json.Number:
		if f.text(v.String()) == v.String() {
			return v
		}
	case bool:
		if text := map[bool]string{true: "true", false: "false"}[v]; f.text(text) == text {
			return v
		}
	case []any:
		for i := range v {
			switch v[i].(type) {
			case map[string]any, []any:
				v[i] = Redacted
			default:
				v[i] = f.apply(v[i])
			}
		}
		return v
	}
	return Redacted
}

func (f form) text(s string) string {
	if s == "" {
		return ""
	}
	return f(s)
}

// matching shows a text whole where it matches.
func matching(pattern string) form {
	re := regexp.MustCompile(pattern)
	return func(s string) string {
		if re.MatchString(s) {
			return s
		}
		return Redacted
	}
}

// oneOf are the only texts shown, in any case.
func oneOf(list ...string) form {
	known := set(list...)
	return func(s string) string {
		if known[strings.ToLower(s)] {
			return s
		}
		return Redacted
	}
}

// all shows a value that every one of the forms shows.
func all(list ...form) form {
	return func(s string) string {
		for _, f := range list {
			if f(s) == Redacted {
				return Redacted
			}
		}
		return s
	}
}

// not shows a value that f hides.
func not(f form) form {
	return func(s string) string {
		if f(s) == Redacted {
			return s
		}
		return Redacted
	}
}

var (
	// money and count are too short for a telephone number, a date of birth in digits or a number of social insurance.
	money = matching(`^-?[0-9]{1,7}(\.[0-9]{1,6})?([eE][+-]?[0-9])?$`)
	count = matching(`^[0-9]{1,7}$`)

	eventName = all(matching(`^[A-Za-z][A-Za-z0-9_.-]{0,49}$`), not(longDigits))

	longDigits = matching(`[0-9]{6}`)
	hasLetter  = matching(`[A-Za-z]`)
	hasDigit   = matching(`[0-9]`)
	onlyDigit  = matching(`^[0-9]{1,30}$`)
	someHash   = matching(`^([0-9A-Fa-f]{40}|[0-9A-Fa-f]{56}|[0-9A-Fa-f]{64}|[0-9A-Fa-f]{96,})$`)

	// token is one plain word, not long enough for a hash, without the digits of a number that is called.
	token = all(matching(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,29}$`), hasLetter, not(longDigits))

	code     = all(matching(`^[A-Za-z0-9][A-Za-z0-9_-]{0,49}$`), either(hasLetter, count), not(longDigits))
	pixel    = all(matching(`^[A-Z0-9]{6,30}$`), hasLetter, hasDigit)
	testCode = matching(`^TEST[A-Z0-9_]{1,20}$`)

	// ownID is digits alone, or letters and digits: no name, no date, no address of a network, and no hash of anything.
	ownID = either(onlyDigit, all(matching(`^#?[A-Za-z0-9][A-Za-z0-9_-]{0,99}$`), hasLetter, hasDigit, not(someHash)))
)

func either(a, b form) form {
	return func(s string) string {
		if a(s) != Redacted {
			return s
		}
		return b(s)
	}
}

// currency is an ISO 4217 code: three letters alone would show names and diagnoses.
var currency = oneOf(strings.Fields(`aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd btn bwp byn bzd
	cad cdf chf clp cny cop crc cuc cup cve czk djf dkk dop dzd egp ern etb eur fjd fkp gbp gel ghs gip gmd gnf gtq gyd hkd hnl hrk htg huf
	idr ils inr iqd irr isk jmd jod jpy kes kgs khr kmf kpw krw kwd kyd kzt lak lbp lkr lrd lsl lyd mad mdl mga mkd mmk mnt mop mru mur mvr
	mwk mxn myr mzn nad ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sdg sek sgd shp sle sll sos srd
	ssp stn svc syp szl thb tjs tmt tnd top try ttd twd tzs uah ugx usd uyu uzs ved ves vnd vuv wst xaf xcd xcg xof xpf yer zar zmw zwg zwl`)...)

// moment is a time of this century: a date of birth is mostly none. It is read as the time of an event is, or in microseconds.
func moment(s string) string {
	text := s
	if len(s) == 16 && onlyDigit(s) == s {
		text = s[:13]
	}
	t, ok := ReadTime(text)
	if !ok || t.Before(firstMoment) || t.After(lastMoment) {
		return Redacted
	}
	return s
}

var (
	firstMoment = time.Date(2010, 1, 1, 0, 0, 0, 0, time.UTC)
	lastMoment  = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
)

var hostName = regexp.MustCompile(`^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z][A-Za-z0-9-]*(:[0-9]{1,5})?$`)

// origin shows the site of a page. A path may name a condition, a product or a person.
func origin(s string) string {
	u, err := url.Parse(strings.TrimSpace(s))
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || len(u.Host) > 100 || !hostName.MatchString(u.Host) {
		return Redacted
	}
	shown := u.Scheme + "://" + u.Host
	if u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		shown += "/…"
	}
	return shown
}
