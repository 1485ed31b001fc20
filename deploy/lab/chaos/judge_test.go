package chaos

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"relay/deploy/sandbox"
	"relay/internal/relay"
)

// delivered returns evidence without faults of one event at a container and one at two platforms.
func delivered() evidence {
	a, b := sent{"1", "purchase_completed", acme}, sent{"2", "consult_started", brio}
	accepted := func(destinations ...string) (ends []relay.DeliveryResult) {
		for _, d := range destinations {
			ends = append(ends, relay.DeliveryResult{Destination: d, Outcome: relay.Accepted, Status: 200})
		}
		return ends
	}
	e := evidence{
		ledger: []sent{a, b},
		rows: []row{
			{id: 1, sent: a, status: relay.StatusDelivered, ends: accepted(relay.SGTM)},
			{id: 2, sent: b, status: relay.StatusDelivered, ends: accepted(fanOut...)},
		},
		attempts: map[pair]attemptCount{{1, relay.SGTM}: {sends: 1}, {2, fanOut[0]}: {sends: 1}, {2, fanOut[1]}: {sends: 1}},
		arrivals: map[landing]sandbox.Arrival{},
	}
	for _, at := range []landing{{pathOf(acme, relay.SGTM), a.key()}, {pathOf(brio, fanOut[0]), b.key()}, {pathOf(brio, fanOut[1]), b.key()}} {
		e.arrivals[at] = sandbox.Arrival{Path: at.path, Key: at.key, Count: 1, Taken: 1}
	}
	return e
}

func TestTheJudgeFindsEveryBrokenPromise(t *testing.T) {
	t.Parallel()
	first := landing{pathOf(acme, relay.SGTM), sent{"1", "purchase_completed", acme}.key()}
	twice := func(e *evidence, t attemptCount) {
		a := e.arrivals[first]
		a.Count, a.Taken = 2, 2
		e.arrivals[first], e.attempts[pair{1, relay.SGTM}] = a, t
	}
	for name, c := range map[string]struct {
		spoil func(*evidence)
		words string
	}{
		"nothing":                  {func(*evidence) {}, ""},
		"a row is missing":         {func(e *evidence) { e.rows = e.rows[1:] }, "1 accepted events without a row: 1"},
		"a row is not final":       {func(e *evidence) { e.rows[0].status = relay.StatusProcessing }, "1 (1) is processing"},
		"not received":             {func(e *evidence) { delete(e.arrivals, first) }, "1 delivered events that were not received: 1 at sgtm"},
		"received by one of two":   {func(e *evidence) { e.rows[1].ends = e.rows[1].ends[:1] }, "2 is delivered with 1 destinations"},
		"failed, though accepted":  {func(e *evidence) { e.rows[0].status = relay.StatusFailed }, "1 is failed with 1 destinations"},
		"a copy without a reason":  {func(e *evidence) { twice(e, attemptCount{sends: 2}) }, "1 copies that no attempt explains: 1 (1) at sgtm: accepted 2 times"},
		"a copy after a kill":      {func(e *evidence) { twice(e, attemptCount{sends: 2, sending: 1}) }, ""},
		"a copy after no response": {func(e *evidence) { twice(e, attemptCount{sends: 2, noResponse: 1}) }, ""},
		"a request off record":     {func(e *evidence) { twice(e, attemptCount{sends: 1, sending: 1}) }, "2 requests, 1 attempts"},
		"an unknown event":         {func(e *evidence) { e.ledger, e.rows = e.ledger[:1], e.rows[:1] }, "2 requests of events that were not accepted"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := delivered()
			c.spoil(&e)
			err := judge(e).err()
			if c.words == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.words)
		})
	}
}

func TestARecoveryEndsAtTheFirstNewDeliveryUnlessAnotherCrashComesFirst(t *testing.T) {
	t.Parallel()
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	crashes := []Crash{{At: at(10), Up: at(12)}, {At: at(20), Up: at(21)}, {At: at(22), Up: at(30)}, {At: at(40), Up: at(41)}}
	recoveries(crashes, []time.Time{at(5), at(11), at(15), at(31)})
	require.Equal(t, 3*time.Second, crashes[0].Recovery)
	require.True(t, crashes[1].Overtaken)
	require.Equal(t, time.Second, crashes[2].Recovery)
	require.True(t, crashes[3].Overtaken, "no delivery followed")
}
