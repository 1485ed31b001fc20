package ops_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/internal/ops"
	"relay/internal/relay"
)

var noon = time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)

// watch takes looks, each from a memory that was stored and read again.
type watch struct {
	t      *testing.T
	state  ops.NoticeState
	rules  ops.NoticeRules
	unsent map[ops.NoticeKind]bool
}

func newWatch(t *testing.T) *watch {
	return &watch{t: t, rules: ops.NoticeRules{Every: 15 * time.Minute, Wait: 30 * time.Second}, unsent: map[ops.NoticeKind]bool{}}
}

func (w *watch) look(after time.Duration, active map[ops.NoticeKind][]ops.NoticeSubject) []ops.Notice {
	w.t.Helper()
	for _, kind := range []ops.NoticeKind{ops.NoticeUnhealthy, ops.NoticeCredential} {
		if _, there := active[kind]; !there {
			if active == nil {
				active = map[ops.NoticeKind][]ops.NoticeSubject{}
			}
			active[kind] = nil
		}
	}
	text, err := json.Marshal(w.state)
	require.NoError(w.t, err)
	w.state = ops.NoticeState{}
	require.NoError(w.t, json.Unmarshal(text, &w.state))
	return w.state.Step(ops.NoticeObservation{At: noon.Add(after), Active: active, Unsent: w.unsent}, w.rules)
}

// at are unhealthy destinations of storefronts.
func at(storefronts ...string) map[ops.NoticeKind][]ops.NoticeSubject {
	var list []ops.NoticeSubject
	for _, code := range storefronts {
		list = append(list, ops.NoticeSubject{Storefront: code, Destination: "sgtm", Reason: relay.ReasonServerError})
	}
	return map[ops.NoticeKind][]ops.NoticeSubject{ops.NoticeUnhealthy: list}
}

func codesOf(n ops.Notice) []string {
	var codes []string
	for _, s := range n.Subjects {
		codes = append(codes, s.Storefront)
	}
	return codes
}

func TestAStormIsOneAlertAndOneRecovery(t *testing.T) {
	t.Parallel()
	w := newWatch(t)
	var storm []string
	for i := range 50 {
		storm = append(storm, fmt.Sprintf("s%02d", i))
	}
	require.Empty(t, w.look(0, at(storm[:1]...)), "it gathers")
	list := w.look(30*time.Second, at(storm...))
	require.Len(t, list, 1)
	require.Equal(t, ops.NoticeAlert, list[0].Phase)
	require.Len(t, list[0].Subjects, 20)
	require.Equal(t, 30, list[0].More)
	for i := range 20 {
		require.Empty(t, w.look(time.Minute+time.Duration(i)*time.Minute, at(storm...)))
	}
	require.Empty(t, w.look(22*time.Minute, nil), "the end must last, too")
	list = w.look(22*time.Minute+30*time.Second, nil)
	require.Len(t, list, 1)
	require.Equal(t, ops.NoticeRecovery, list[0].Phase)
	require.Equal(t, 30, list[0].More)
	require.Zero(t, list[0].Left)
	require.Empty(t, w.look(time.Hour, nil))
}

func TestWhatFollowsAnAlertIsInTheNextOne(t *testing.T) {
	t.Parallel()
	w := newWatch(t)
	w.look(0, at("a"))
	require.Len(t, w.look(time.Minute, at("a")), 1)
	require.Empty(t, w.look(2*time.Minute, at("a", "b")))
	require.Empty(t, w.look(10*time.Minute, at("a", "b", "c")))
	require.Empty(t, w.look(11*time.Minute, at("a", "c")), "b is over, and was not reported")
	list := w.look(16*time.Minute, at("a", "c"))
	require.Len(t, list, 1)
	require.Equal(t, []string{"b", "c"}, codesOf(list[0]))
	require.False(t, list[0].Subjects[0].Until.IsZero())
	require.True(t, list[0].Subjects[1].Until.IsZero())
	require.Empty(t, w.look(17*time.Minute, at("a", "c")), "b's end waits for those of the others, or for a quarter of an hour")
	list = w.look(31*time.Minute, at("a", "c"))
	require.Len(t, list, 1)
	require.Equal(t, ops.NoticeRecovery, list[0].Phase)
	require.Equal(t, []string{"b"}, codesOf(list[0]))
	require.Equal(t, 2, list[0].Left)
}

func TestAFlappingDestinationCausesFewNotices(t *testing.T) {
	t.Parallel()
	w := newWatch(t)
	var all []ops.Notice
	for i := range 240 { // an hour: two minutes ill, two minutes well
		active := at()
		if i/8%2 == 0 {
			active = at("a")
		}
		all = append(all, w.look(time.Duration(i)*15*time.Second, active)...)
	}
	require.LessOrEqual(t, len(all), 8, "an alert and its recovery in a quarter of an hour")
	for i, n := range all {
		require.Equal(t, []ops.NoticePhase{ops.NoticeAlert, ops.NoticeRecovery}[i%2], n.Phase, "they alternate")
	}
}

func TestABlipIsNotReported(t *testing.T) {
	t.Parallel()
	w := newWatch(t)
	require.Empty(t, w.look(0, at("a")))
	require.Empty(t, w.look(15*time.Second, at()))
	require.Empty(t, w.look(5*time.Minute, at()))
	require.Empty(t, w.look(6*time.Minute, at("b")), "and does not hurry the next")
}

func TestAShortRecoveryIsNotReported(t *testing.T) {
	t.Parallel()
	w := newWatch(t)
	w.look(0, at("a"))
	require.Len(t, w.look(time.Minute, at("a")), 1)
	require.Empty(t, w.look(2*time.Minute, at()))
	require.Empty(t, w.look(2*time.Minute+15*time.Second, at("a")))
	require.Empty(t, w.look(40*time.Minute, at("a")))
}

func TestAnUnsentNoticeHoldsBackThoseOfItsKind(t *testing.T) {
	t.Parallel()
	w := newWatch(t)
	w.look(0, at("a"))
	require.Len(t, w.look(time.Minute, at("a")), 1)
	w.unsent[ops.NoticeUnhealthy] = true
	require.Empty(t, w.look(time.Hour, at("a", "b")))
	require.Empty(t, w.look(2*time.Hour, at()))
	w.unsent = nil
	list := w.look(3*time.Hour, at())
	require.Len(t, list, 1)
	require.Equal(t, []string{"b"}, codesOf(list[0]), "what began and ended meanwhile is reported all the same")
	list = w.look(3*time.Hour+time.Minute, at())
	require.Len(t, list, 1)
	require.Equal(t, []string{"a", "b"}, codesOf(list[0]))
}

func refused(code string) map[ops.NoticeKind][]ops.NoticeSubject {
	return map[ops.NoticeKind][]ops.NoticeSubject{ops.NoticeCredential: {{Storefront: code, Destination: "sgtm", Reason: relay.ReasonUnauthorized}}}
}

// A refused credential needs someone to store another one: an outage during which it is refused does not hide it.
func TestACredentialThatIsRefusedDuringAnOutageIsReported(t *testing.T) {
	t.Parallel()
	w := newWatch(t)
	w.look(0, at("a"))
	require.Equal(t, ops.NoticeUnhealthy, w.look(time.Minute, at("a"))[0].Kind)
	require.Empty(t, w.look(2*time.Minute, refused("a")), "it gathers")
	list := w.look(3*time.Minute, refused("a"))
	require.Len(t, list, 1, "no recovery of the other kind")
	require.Equal(t, []any{ops.NoticeCredential, ops.NoticeAlert}, []any{list[0].Kind, list[0].Phase})
	require.Equal(t, []string{"a"}, codesOf(list[0]))
	require.Empty(t, w.look(20*time.Minute, refused("a")))
	w.look(30*time.Minute, at())
	list = w.look(31*time.Minute, at())
	require.Len(t, list, 1, "one recovery")
	require.Equal(t, []any{ops.NoticeCredential, ops.NoticeRecovery}, []any{list[0].Kind, list[0].Phase})
	require.Empty(t, w.look(time.Hour, at()))
}

func TestADestinationThatRefusedItsCredentialStaysInItsKind(t *testing.T) {
	t.Parallel()
	w := newWatch(t)
	w.look(0, refused("a"))
	require.Equal(t, ops.NoticeCredential, w.look(time.Minute, refused("a"))[0].Kind)
	require.Empty(t, w.look(2*time.Minute, at("a")), "its reason changed")
	require.Empty(t, w.look(20*time.Minute, at("a")))
	require.Empty(t, w.look(21*time.Minute, refused("a")), "and changed back")
	w.look(22*time.Minute, at())
	list := w.look(23*time.Minute, at())
	require.Len(t, list, 1)
	require.Equal(t, []any{ops.NoticeCredential, ops.NoticeRecovery}, []any{list[0].Kind, list[0].Phase})
	w.look(40*time.Minute, at("a"))
	require.Equal(t, ops.NoticeUnhealthy, w.look(41*time.Minute, at("a"))[0].Kind, "a new trouble")
}

func TestAKindThatIsSwitchedOffIsForgotten(t *testing.T) {
	t.Parallel()
	w := newWatch(t)
	waiting := map[ops.NoticeKind][]ops.NoticeSubject{ops.NoticeWaiting: {{Storefront: "a"}}}
	w.look(0, waiting)
	require.Len(t, w.look(time.Minute, waiting), 1)
	require.Empty(t, w.look(time.Hour, at()), "no recovery")
}

func TestRepairsAreReportedOnceAndInSum(t *testing.T) {
	t.Parallel()
	var s ops.NoticeState
	rules := ops.NoticeRules{Every: 15 * time.Minute}
	step := func(after time.Duration, repaired int64) []ops.Notice {
		return s.Step(ops.NoticeObservation{At: noon.Add(after), Repaired: repaired}, rules)
	}
	require.Empty(t, step(0, 7), "old news")
	list := step(time.Minute, 9)
	require.Len(t, list, 1)
	require.Equal(t, int64(2), list[0].Subjects[0].Rows)
	require.Empty(t, step(2*time.Minute, 12))
	require.Empty(t, step(3*time.Minute, 13))
	require.Equal(t, int64(4), step(17*time.Minute, 13)[0].Subjects[0].Rows)
	require.Empty(t, step(time.Hour, 0), "another database")
}

func TestTheDailySummaryComesOnceADay(t *testing.T) {
	t.Parallel()
	var s ops.NoticeState
	eight := 8 * time.Hour
	rules := ops.NoticeRules{Daily: &eight}
	day := []ops.NoticeSubject{{Storefront: "a", Events: &ops.NoticeCounts{Received: 1}}, {Storefront: "b", Events: &ops.NoticeCounts{Received: 2}}}
	step := func(at time.Time) []ops.Notice {
		require.Equal(t, s.SummaryDue(at, rules), s.Day < at.Format(time.DateOnly) && at.Hour() >= 8)
		return s.Step(ops.NoticeObservation{At: at, Day: day}, rules)
	}
	midnight := noon.Truncate(24 * time.Hour)
	require.Empty(t, step(midnight.Add(7*time.Hour)))
	list := step(midnight.Add(8 * time.Hour))
	require.Len(t, list, 1)
	require.Equal(t, []string{"b", "a"}, codesOf(list[0]))
	require.Empty(t, step(midnight.Add(9*time.Hour)))
	require.Empty(t, step(midnight.Add(25*time.Hour)))
	require.Len(t, step(midnight.Add(40*time.Hour)), 1, "late, because nothing ran at eight")
	require.False(t, s.SummaryDue(noon.Add(99*time.Hour), ops.NoticeRules{}), "off")
}
