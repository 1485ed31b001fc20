package ops

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"
)

// maxNoticeSubjects is how many subjects a notice lists; the others it counts.
const maxNoticeSubjects = 20

// NoticeState is the memory of the notices: what is the case, and what of it has been reported. The zero value is before the
// first look.
type NoticeState struct {
	Kinds    map[NoticeKind]*KindState `json:"kinds,omitempty"`
	Repaired *int64                    `json:"repaired,omitempty"` // rows that had been repaired at the latest report
	Day      string                    `json:"day,omitempty"`      // of the latest daily summary
}

// KindState is the memory of one kind.
type KindState struct {
	Alerted  time.Time                     `json:"alerted,omitzero"`  // the latest alert
	Reported time.Time                     `json:"reported,omitzero"` // the latest notice
	Subjects map[string]*OpenNoticeSubject `json:"subjects,omitempty"`
}

// OpenNoticeSubject is a subject whose end has not been reported. Over is since when its state has ended, as far as it has.
type OpenNoticeSubject struct {
	NoticeSubject
	Began    time.Time `json:"began"`
	Over     time.Time `json:"over,omitzero"`
	Reported bool      `json:"reported,omitempty"`
}

// NoticeObservation is what one look found. A kind without an entry in Active was not looked at.
type NoticeObservation struct {
	At       time.Time
	Active   map[NoticeKind][]NoticeSubject
	Repaired int64 // rows that all reconciliations have repaired
	Day      []NoticeSubject
	Unsent   map[NoticeKind]bool
}

// SummaryDue reports whether the daily summary of a day has not been made.
func (s *NoticeState) SummaryDue(at time.Time, rules NoticeRules) bool {
	at = at.UTC()
	midnight := at.Truncate(24 * time.Hour)
	return rules.Daily != nil && at.Sub(midnight) >= *rules.Daily && s.Day < dayOf(at)
}

func dayOf(at time.Time) string { return at.UTC().Format(time.DateOnly) }

// Step takes in a look, and returns the notices that it calls for. A kind whose last notice is unsent has none: what
// happens meanwhile is in its next notice, so that a receiver that was away gets few.
func (s *NoticeState) Step(seen NoticeObservation, rules NoticeRules) []Notice {
	if s.Kinds == nil {
		s.Kinds = map[NoticeKind]*KindState{}
	}
	s.keepKind(&seen)
	var list []Notice
	for _, kind := range lasting {
		subjects, looked := seen.Active[kind]
		if !looked {
			delete(s.Kinds, kind)
			continue
		}
		k := s.kind(kind)
		k.look(subjects, seen.At, rules.Wait)
		if seen.Unsent[kind] {
			continue
		}
		n, due := k.alert(seen.At, rules)
		if !due {
			n, due = k.recovery(seen.At, rules)
		}
		if due {
			n.Kind, n.At, k.Reported = kind, seen.At, seen.At
			list = append(list, n)
		}
	}
	return append(append(list, s.repairs(seen, rules)...), s.summary(seen, rules)...)
}

func (s *NoticeState) kind(kind NoticeKind) *KindState {
	k := s.Kinds[kind]
	if k == nil {
		k = &KindState{}
		s.Kinds[kind] = k
	}
	if k.Subjects == nil {
		k.Subjects = map[string]*OpenNoticeSubject{}
	}
	return k
}

// keepKind keeps a destination whose credential was refused in that kind until it is healthy, whatever fails next: someone has to
// store another credential. The other way, a credential that is refused during an outage is news, and the outage is in it: no
// recovery is reported of a destination that has not recovered.
func (s *NoticeState) keepKind(seen *NoticeObservation) {
	credential, unhealthy := s.Kinds[NoticeCredential], s.Kinds[NoticeUnhealthy]
	if credential != nil {
		var left []NoticeSubject
		for _, subject := range seen.Active[NoticeUnhealthy] {
			if credential.Subjects[subject.key()] != nil {
				seen.Active[NoticeCredential] = append(seen.Active[NoticeCredential], subject)
				continue
			}
			left = append(left, subject)
		}
		if _, looked := seen.Active[NoticeUnhealthy]; looked {
			seen.Active[NoticeUnhealthy] = left
		}
	}
	if unhealthy != nil {
		for _, subject := range seen.Active[NoticeCredential] {
			delete(unhealthy.Subjects, subject.key())
		}
	}
}

func (s NoticeSubject) key() string { return s.Storefront + "/" + s.Destination }

// look takes in the present subjects. One that is over before it could be reported is forgotten where it was short.
func (k *KindState) look(subjects []NoticeSubject, at time.Time, wait time.Duration) {
	present := map[string]bool{}
	for _, subject := range subjects {
		key := subject.key()
		present[key] = true
		if k.Subjects[key] == nil {
			k.Subjects[key] = &OpenNoticeSubject{Began: at}
		}
		k.Subjects[key].NoticeSubject, k.Subjects[key].Over = subject, time.Time{}
	}
	for key, subject := range k.Subjects {
		if present[key] {
			continue
		}
		if subject.Over.IsZero() {
			subject.Over = at
		}
		if !subject.Reported && subject.Over.Sub(subject.Began) < wait {
			delete(k.Subjects, key)
		}
	}
}

// alert is due once a subject has lasted, and no other alert came shortly before. It also has those that have just begun.
func (k *KindState) alert(at time.Time, rules NoticeRules) (Notice, bool) {
	lasted := false
	var news []NoticeSubject
	for _, subject := range k.Subjects {
		if !subject.Reported {
			news = append(news, subject.at())
			lasted = lasted || at.Sub(subject.Began) >= rules.Wait
		}
	}
	if !lasted || !k.Alerted.IsZero() && at.Sub(k.Alerted) < rules.Every {
		return Notice{}, false
	}
	for _, subject := range k.Subjects {
		subject.Reported = true
	}
	k.Alerted = at
	return newNotice(NoticeAlert, news), true
}

// recovery is due once everything is over, or once a part of it is and the latest notice is some time ago.
func (k *KindState) recovery(at time.Time, rules NoticeRules) (Notice, bool) {
	settled := func(subject *OpenNoticeSubject) bool {
		return subject.Reported && !subject.Over.IsZero() && at.Sub(subject.Over) >= rules.Wait
	}
	var over []NoticeSubject
	for _, subject := range k.Subjects {
		if settled(subject) {
			over = append(over, subject.at())
		}
	}
	left := len(k.Subjects) - len(over)
	if len(over) == 0 || left > 0 && at.Sub(k.Reported) < rules.Every {
		return Notice{}, false
	}
	maps.DeleteFunc(k.Subjects, func(_ string, subject *OpenNoticeSubject) bool { return settled(subject) })
	n := newNotice(NoticeRecovery, over)
	n.Left = left
	return n, true
}

// at is the subject with its times.
func (s *OpenNoticeSubject) at() NoticeSubject {
	subject := s.NoticeSubject
	subject.Since, subject.Until = s.Since, s.Over
	if s.Since.IsZero() {
		subject.Since = s.Began
	}
	return subject
}

func newNotice(phase NoticePhase, subjects []NoticeSubject) Notice {
	slices.SortFunc(subjects, func(a, b NoticeSubject) int { return strings.Compare(a.key(), b.key()) })
	shown := min(len(subjects), maxNoticeSubjects)
	return Notice{Phase: phase, Subjects: subjects[:shown], More: len(subjects) - shown}
}

// repairs reports the rows that the reconciler has repaired since the latest report. Those before the first look are old news.
func (s *NoticeState) repairs(seen NoticeObservation, rules NoticeRules) []Notice {
	k := s.kind(NoticeRepairs)
	if s.Repaired == nil || *s.Repaired > seen.Repaired {
		s.Repaired = &seen.Repaired
	}
	rows := seen.Repaired - *s.Repaired
	if rows == 0 || seen.Unsent[NoticeRepairs] || !k.Alerted.IsZero() && seen.At.Sub(k.Alerted) < rules.Every {
		return nil
	}
	s.Repaired, k.Alerted, k.Reported = &seen.Repaired, seen.At, seen.At
	return []Notice{{Kind: NoticeRepairs, Phase: NoticeReport, At: seen.At, Subjects: []NoticeSubject{{Rows: rows}}}}
}

func (s *NoticeState) summary(seen NoticeObservation, rules NoticeRules) []Notice {
	if !s.SummaryDue(seen.At, rules) || seen.Unsent[NoticeSummary] {
		return nil
	}
	s.Day = dayOf(seen.At)
	slices.SortFunc(seen.Day, func(a, b NoticeSubject) int {
		return cmp.Or(cmp.Compare(b.Events.Received, a.Events.Received), strings.Compare(a.Storefront, b.Storefront))
	})
	n := Notice{Kind: NoticeSummary, Phase: NoticeReport, At: seen.At}
	shown := min(len(seen.Day), maxNoticeSubjects)
	n.Subjects, n.More = seen.Day[:shown], len(seen.Day)-shown
	return []Notice{n}
}
