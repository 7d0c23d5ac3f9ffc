package fetch

import (
	"context"
	"crypto/tls"
	"errors"
	"strings"
	"sync"
	"time"

	"popsync/deliver"
	"popsync/fetch/mechanism"
	"popsync/fetch/pop3"
	"popsync/internal/secret"
	"popsync/uidl"
)

// A store is what a session asks of the UIDL database: the records of one mailbox.
type store interface {
	Records(context.Context) ([]uidl.Entry, error)
	Intents(context.Context) ([]uidl.Intent, error)
	Poll(context.Context) (uidl.Poll, error)
	Commit(context.Context, uidl.Change) error
}

// A session is one poll of one account.
type session struct {
	account     Account
	records     store
	owner       deliver.Owner
	leftovers   *leftovers
	intentNames func(context.Context) (map[string]bool, error)
	dryRun      bool
	retry       bool // refused log-ins are no reason not to ask
	urgent      bool // nor is the time between two log-ins
	dialer      dialer
	salt        func() string // of keys of refusals; nil for random ones
	now         func() time.Time
	tell        func(Event)
	entering    func() // is called before the log-in, at which a server takes stock of the mailbox
	trace       func(line string)

	password      secret.Value
	begun         time.Time
	last          uidl.Poll // of earlier polls
	blind         bool      // they cannot be read, and are not written over
	loggedIn      time.Time
	client        *pop3.Client
	inTransaction bool // logged in, and QUIT not sent (RFC 1939, section 5)
	secured       tls.ConnectionState
	exposed       bool          // others may read what is sent
	complaint     func() string // what the program that connects has said; nil without one
	address       string

	unsaved  uidl.Change // goes with the last commit
	needless []leftover  // after it
	bodies   int         // messages that began to come in
	aside    int         // of them, those that are had without being brought: in the quarantine, or known before
	lost     bool        // commands that came early (W8)
	header   []byte      // of the message that comes in, to be used again

	offered       pop3.Capabilities // before the log-in
	noCapa        bool              // the server goes away at CAPA
	mechanism     string            // of the log-in
	way           mechanism.Name    // that works where a stronger one did not
	sent          bool              // the secret has gone out
	refusedBefore int               // times that the same secret was refused
	refusedLogIn  bool
	sure          bool // it is the credentials that were refused
	pausing       bool // nothing was asked of the server, because it is too early
	renumbered    int  // polls in a row with new UIDs for known messages
	topFailed     bool // the connection broke, or hung, at TOP
	putOff        bool // TOP was refused for the moment

	quiet    quiet         // what there is to know of the listing, once all of it was delivered
	due      []Had         // to be deleted, found out while messages came in
	expected map[int32]Had // messages that are retrieved because they may not be the ones that were had

	mu     sync.Mutex // the reader and the deliverer both report
	result Result
}

// poll is the whole of it. When ctx ends nothing new is begun, and what is under way has a few
// seconds to finish.
func (s *session) poll(ctx context.Context) Result {
	s.begin()
	soft, release := interruptible(ctx)
	defer release()
	hard, release := s.lingering(soft)
	defer release()
	s.note(s.run(soft, hard))
	closed := s.leaveSoon(hard)
	s.note(s.remember())
	closed()
	return s.end()
}

// leave ends the session, with QUIT where the line still stands.
func (s *session) leave(ctx context.Context) {
	if s.client == nil {
		return
	}
	if s.inTransaction && s.client.Err() == nil {
		s.client.Quit(ctx)
	}
	s.inTransaction = false
	s.client.Close()
}

// leaveSoon is leave where nothing depends on the answer to QUIT: it has as long as there is something
// else to do, until closed is called.
func (s *session) leaveSoon(ctx context.Context) (closed func()) {
	if !s.inTransaction || s.client.Err() != nil || s.awaitsQuit() {
		s.leave(ctx)
		return func() {}
	}
	s.inTransaction = false
	return s.client.Leave(ctx)
}

// near is the distance of servers whose answer to QUIT costs nothing.
const near = 10 * time.Millisecond

// awaitsQuit says whether somebody waits for the answer to QUIT: the server takes note of what was
// retrieved, or is one of the old ones, which keep the mailbox locked until they are through with it;
// a program in between has to pass it on; a person wants to see it; or it costs nothing.
func (s *session) awaitsQuit() bool {
	return s.quitCommits() || !s.client.Pipelining() || s.complaint != nil || s.trace != nil || s.client.Distance() < near
}

// fail is a poll that cannot begin.
func (s *session) fail(err error) Result {
	s.begin()
	s.note(err)
	return s.end()
}

func (s *session) begin() {
	s.begun = s.now()
	s.result = Result{Account: s.account.Name, Server: s.account.Server.String()}
	s.tell(Event{Kind: Begun})
}

func (s *session) end() Result {
	s.result.StateBroken = s.result.StateBroken || unusable(s.result.Err)
	s.result.Took, s.result.asked = s.now().Sub(s.begun), !s.pausing
	if s.client != nil {
		s.result.Wait = s.untilNext(s.client.Capabilities().LoginDelay)
		s.result.More = s.quitCommits() && s.result.New > 0 && s.result.Err == nil
	}
	s.tell(Event{Kind: Ended, Result: &s.result})
	return s.result
}

func (s *session) run(ctx, hard context.Context) error {
	var err error
	if s.last, err = s.records.Poll(ctx); err != nil {
		s.blind = true
		return s.stateFailed(err)
	}
	s.renumbered = s.last.Renumbered
	if turn, err := s.waitForTurn(ctx); err != nil || !turn {
		return err
	}
	if err := s.askPassword(ctx); err != nil {
		return s.tellOnce(err)
	}
	if held := s.held(); held != nil {
		return held
	}
	s.notice()
	if !s.dryRun {
		if err := s.makeReady(ctx, hard); err != nil {
			return err
		}
	}
	if err := s.logIn(ctx, hard); err != nil {
		return err
	}
	plan, err := s.look(hard)
	if err != nil {
		return err
	}
	if s.dryRun {
		return nil
	}
	brought, err := s.bringIn(ctx, hard, plan.Retrieve)
	s.note(err)
	if ctx.Err() != nil && s.result.Left > 0 {
		s.note(&Error{Step: "retrieve", Kind: Interrupted, Err: errInterrupted})
	}
	return s.finish(hard, append(plan.Delete, s.due...), brought)
}

// concealing is e without the password as a UID: there are servers that repeat everything.
func (s *session) concealing(e Event) Event {
	if secret := s.password.Reveal(); secret != "" && strings.Contains(e.UID, secret) {
		e.UID = strings.ReplaceAll(e.UID, secret, "****")
		e.Text = strings.ReplaceAll(e.Text, secret, "****")
	}
	return e
}

// askPassword gets what the log-in needs.
func (s *session) askPassword(ctx context.Context) (err error) {
	if s.password, err = s.account.Password(ctx); err != nil {
		return s.passwordFailed(ctx, err)
	}
	if !pop3.Sendable("", s.password.Reveal()) {
		return s.step("log in", pop3.ErrSecret)
	}
	if s.sameSecret() {
		s.refusedBefore = s.last.Refusals.Count
	}
	return nil
}

// tellOnce is err, told once a day: an account that needs a person, who has to log in at its
// provider, needs him as well in a minute.
func (s *session) tellOnce(err error) error {
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Kind != Refused {
		return err
	}
	told := s.now().Sub(s.last.AskTold.Time())
	if told >= 0 && told < toldAgain && s.last.Message == e.Err.Error() {
		e.Repeated, s.pausing = true, true
		return e
	}
	s.last.AskTold = uidl.At(s.now())
	return e
}

// notice tells once a day what the account's user is to do soon.
func (s *session) notice() {
	told := s.now().Sub(s.last.Noticed.Time())
	if s.account.Notice == nil || told >= 0 && told < toldAgain {
		return
	}
	if text := s.account.Notice(); text != "" {
		s.last.Noticed = uidl.At(s.now())
		s.tell(Event{Kind: Warned, Text: text})
	}
}

// makeReady settles what a crash left, and finds out whether mail can be delivered before anybody
// logs in. Settling comes first: it must find a target as the crash left it.
func (s *session) makeReady(soft, ctx context.Context) error {
	if err := s.settle(soft, ctx); err != nil {
		return err
	}
	if err := s.account.Target.Open(ctx); err != nil {
		return s.deliveryFailed(err)
	}
	if err := s.leftovers.clean(ctx, s.account, s.intentNames); err != nil {
		s.tell(Event{Kind: Warned, Text: "files of an earlier run stay: " + err.Error()})
	}
	return nil
}

// look lists the mailbox and decides what is to be done.
func (s *session) look(ctx context.Context) (Plan, error) {
	listing, err := s.list(ctx)
	if err != nil {
		return Plan{}, err
	}
	listed := digest(listing, s.account.Keep)
	if s.quietBefore(listed) {
		s.quiet = quiet{listed, s.last.QuietUntil}
		s.tell(Event{Kind: Listed, Total: len(listing.Messages)})
		return Plan{}, nil
	}
	had, err := s.records.Records(ctx)
	if err != nil {
		return Plan{}, s.stateFailed(err)
	}
	plan := MakePlan(listing.Messages, listing.Complete(), had, s.account.Keep, s.now())
	if err := s.cross(ctx, &listing, &plan); err != nil {
		return Plan{}, err
	}
	if err := s.guard(ctx, &plan, had); err != nil {
		return Plan{}, err
	}
	if err := s.verify(ctx, &plan); err != nil {
		return Plan{}, err
	}
	if until, ok := plan.Quiet(); ok && listing.Complete() {
		s.quiet = quiet{listed, until}
	}
	plan.Retrieve = s.leaveLarge(plan.Retrieve, had)
	s.result.Left = len(plan.Retrieve)
	named := s.nameable(plan.Retrieve)
	plan.Retrieve = s.first(named)
	s.keepRanks(named, plan.Retrieve)
	s.noteOdd(listing)
	s.unsaved.Update = append(append(s.unsaved.Update, plan.Missing...), plan.Back...)
	s.unsaved.Forget = append(s.unsaved.Forget, plan.Forget...)

	if s.dryRun {
		s.result.New, s.result.Bytes, s.result.Deleted = len(plan.Retrieve), octets(plan.Retrieve), len(plan.Delete)
	}
	s.tell(Event{Kind: Listed, New: len(plan.Retrieve), Bytes: octets(plan.Retrieve), Total: len(listing.Messages)})
	return plan, nil
}

// list asks for as much as one round trip brings: everything where the server pipelines, and
// the UIDs alone where each command costs a wait.
func (s *session) list(ctx context.Context) (pop3.Listing, error) {
	if !s.client.Pipelining() && !s.noCapa {
		if _, err := s.client.Capa(ctx); err != nil { // it may have changed with the log-in
			return pop3.Listing{}, s.step("ask for capabilities", err)
		}
	}
	all := s.client.Pipelining()
	listing, err := s.client.Look(ctx, pop3.Want{Capa: all && !s.noCapa, Stat: all, List: all})
	if err != nil {
		return listing, s.listFailed(err)
	}
	return listing, nil
}

// cross asks for what a listing of UIDs alone leaves open, only where something depends on it:
// the sizes of what is to come or has come back, and whether what is missing is really gone.
func (s *session) cross(ctx context.Context, listing *pop3.Listing, plan *Plan) error {
	if listing.Count >= 0 || listing.Sized {
		return nil
	}
	wanted := len(plan.Retrieve) > 0 || len(plan.Back) > 0 || plan.SizesMatter
	vanished := len(plan.Missing) > 0 || len(plan.Forget) > 0 || len(listing.Messages) == 0
	if !wanted && !vanished {
		return nil
	}
	if wanted {
		if err := s.client.AddSizes(ctx, listing); err != nil {
			return s.step("list", err)
		}
	}
	if vanished {
		if err := s.client.AddStat(ctx, listing); err != nil {
			return s.step("list", err)
		}
	}
	had, err := s.records.Records(ctx)
	if err != nil {
		return s.stateFailed(err)
	}
	*plan = MakePlan(listing.Messages, listing.Complete(), had, s.account.Keep, s.now())
	return nil
}
