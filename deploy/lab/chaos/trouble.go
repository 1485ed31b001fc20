package chaos

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"relay/deploy/sandbox"
)

// lateResponse is a 200 after the relay's time-out of 10 s: the destination has the event, but the relay
// cannot know.
var lateResponse = sandbox.Answer{DelayMS: 11_000}

// faults holds the temporary faults of a destination.
var faults = [][]sandbox.Answer{
	{{Status: 500}, {Status: 502}, {}, {Status: 503}, {Status: 500}},
	{{Action: sandbox.ActionReset}, {}, {Action: sandbox.ActionReset}, {Action: sandbox.ActionReset}},
	{{Action: sandbox.ActionHang}, {}, {Action: sandbox.ActionHang}},
	{lateResponse, {}, lateResponse},
	{{Action: sandbox.ActionSwitch}, {}, {Action: sandbox.ActionSwitch}},
	{{Action: sandbox.ActionGoAway}, {Action: sandbox.ActionGoAway}, {Action: sandbox.ActionRefuse}, {}, {Action: sandbox.ActionGoAway}},
	{{Status: 429, Headers: map[string]string{"Retry-After": "1"}}, {Action: sandbox.ActionTruncate, Body: "{"}, {Status: 503}},
}

// trouble makes destinations fail until it is stopped.
type trouble struct {
	cancel context.CancelFunc
	done   chan error
}

// outage is how long a destination refuses everything once per round: long enough to count as unhealthy.
const outage = 5 * time.Second

// startTrouble makes one destination after another fail at random moments; with outages, one of them is down for a while after a
// third of the round.
func startTrouble(ctx context.Context, l *env, random *rand.Rand, duration time.Duration, outages bool) *trouble {
	ctx, cancel := context.WithCancel(ctx)
	t := &trouble{cancel: cancel, done: make(chan error, 1)}
	go func() {
		err := t.make(ctx, l.system.Sandbox.Client, random, duration, outages)
		if ctx.Err() != nil {
			err = nil
		}
		t.done <- errors.Join(err, l.system.Sandbox.ClearAnswers(context.WithoutCancel(ctx)))
	}()
	return t
}

func (t *trouble) make(ctx context.Context, c sandbox.Client, random *rand.Rand, duration time.Duration, outages bool) error {
	paths := []string{"/" + acme, "/" + corso, "/" + brio + "/platform/" + fanOut[0], "/" + brio + "/platform/" + fanOut[1]}
	outageAt := time.Now().Add(duration / 3)
	for {
		if err := sleep(ctx, time.Duration(1+random.IntN(3000))*time.Millisecond); err != nil {
			return err
		}
		path := paths[random.IntN(len(paths))]
		if outages && time.Now().After(outageAt) {
			outages = false
			if err := fail(ctx, c, paths[0]); err != nil {
				return err
			}
			continue
		}
		answers := faults[random.IntN(len(faults))]
		if err := c.Answer(ctx, sandbox.Rule{Path: path, Answers: answers}); err != nil {
			return err
		}
	}
}

func fail(ctx context.Context, c sandbox.Client, path string) error {
	if err := c.Answer(ctx, sandbox.Rule{Path: path, Then: sandbox.Answer{Status: 503}}); err != nil {
		return err
	}
	err := sleep(ctx, outage)
	return errors.Join(err, c.Answer(context.WithoutCancel(ctx), sandbox.Rule{Path: path}))
}

// stop ends all faults.
func (t *trouble) stop() error {
	t.cancel()
	return <-t.done
}
