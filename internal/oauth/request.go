package oauth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

const (
	perTry  = 20 * time.Second // for a request and its answer
	maxBody = 1 << 20          // of an answer, in bytes
	maxWait = 30 * time.Second // that a server may ask for with Retry-After; for longer there is the next poll
)

// waits are the pauses between tries.
var waits = []time.Duration{time.Second, 4 * time.Second}

// A reply is the answer to one request.
type reply struct {
	host   string // who says it
	status int
	after  time.Duration // Retry-After; 0: not given
	body   []byte
}

// ask posts form to the endpoint behind key, up to three times where the failure may pass.
// The error is an *Error, or the cause of ctx's end.
func (s *Source) ask(ctx context.Context, key string, form url.Values) (answer, error) {
	for try := 0; ; try++ {
		r, err := s.post(ctx, key, form)
		again := passing(err) || err == nil && passes(r.status)
		if !again || try == len(waits) || r.after > maxWait {
			return s.read(r, err, form)
		}
		if err := pause(ctx, max(waits[try], r.after)); err != nil {
			return answer{}, err
		}
	}
}

// passes reports whether a later try may do better.
func passes(status int) bool {
	return status == http.StatusRequestTimeout || status == http.StatusTooManyRequests || status >= 500
}

// kindOf is the kind of an *Error. Nothing else has one, such as the end of a context.
func kindOf(err error) (k Kind, ok bool) {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind, true
	}
	return Later, false
}

// passing reports whether err will pass by itself.
func passing(err error) bool {
	k, ok := kindOf(err)
	return ok && k == Later
}

// post sends form once.
func (s *Source) post(ctx context.Context, key string, form url.Values) (reply, error) {
	u, err := s.endpoint(key)
	if err != nil {
		return reply{}, err
	}
	if ctx.Err() != nil {
		return reply{}, context.Cause(ctx)
	}
	lasting, release := outlasting(ctx)
	defer release()
	limited, cancel := context.WithTimeout(lasting, perTry)
	defer cancel()
	req, err := http.NewRequestWithContext(limited, http.MethodPost, u.String(), strings.NewReader(form.Encode()))
	if err != nil {
		return reply{}, errorf(Configuration, "correct oauth2."+key, "%s is no URL of a server", key)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "popsync")
	res, err := s.http.Do(req)
	if err != nil {
		return reply{}, unreachable(ctx, u.Host, err, secretsOf(form))
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxBody+1))
	if err != nil {
		return reply{}, unreachable(ctx, u.Host, err, secretsOf(form))
	}
	if len(body) > maxBody {
		return reply{}, errorf(Later, hintLater, "%s: an answer that does not end", u.Host)
	}
	return reply{u.Host, res.StatusCode, retryAfter(res.Header.Get("Retry-After"), time.Now()), body}, nil
}

// lingerFor is how long an answer is waited for once ctx has ended: it may hold a new refresh token,
// and the old one may be good no more.
const lingerFor = 3 * time.Second

// outlasting ends lingerFor after ctx does.
func outlasting(ctx context.Context) (lasting context.Context, release func()) {
	lasting, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		timer := time.AfterFunc(lingerFor, cancel)
		context.AfterFunc(lasting, func() { timer.Stop() })
	})
	return lasting, func() { stop(); cancel() }
}

const hintLater = "nothing is lost: the tokens are kept, and the next poll asks again"

// unreachable says why there is no answer, without the URL, which Go's errors begin with.
func unreachable(ctx context.Context, host string, err error, secrets []string) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	if op, ok := errors.AsType[*net.OpError](err); ok {
		err = op.Err
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		err = errors.New(map[bool]string{true: "no such host", false: "the name cannot be looked up"}[dns.IsNotFound])
	}
	if sys, ok := errors.AsType[*os.SyscallError](err); ok {
		err = sys.Err
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) {
		err = fmt.Errorf("no answer within %s", perTry)
	}
	return &Error{Kind: Later, Hint: hintLater, Err: errors.New(host + ": " + conceal(err.Error(), secrets))}
}

// retryAfter reads the header of that name: seconds or a time (RFC 9110, section 10.2.3).
func retryAfter(text string, now time.Time) time.Duration {
	if n, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(n) * time.Second
	}
	if t, err := http.ParseTime(text); err == nil {
		return max(0, t.Sub(now))
	}
	return 0
}
