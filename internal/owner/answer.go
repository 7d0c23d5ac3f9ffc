package owner

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// answer does what r asks for and waits until the client has taken what came of it. After an error
// the client does not know.
func (l *Listener) answer(ctx context.Context, r *Request) error {
	if r.Client.Schema != Schema {
		return r.out.finish(failed(NewFailure(CodeSchema, fmt.Sprintf("this owner speaks version %d only", Schema))))
	}
	if !l.begin() {
		return r.out.finish(failed(NewFailure(CodeEnding, "this owner is about to end")))
	}
	defer l.end()
	answer, err := l.perform(ctx, r)
	if err == nil {
		return r.out.finish(done(answer))
	}
	if ctx.Err() == nil {
		return r.out.finish(failed(failure(err)))
	}
	if f, ok := errors.AsType[*Failure](context.Cause(ctx)); ok {
		return r.out.finish(failed(f))
	}
	return r.out.finish(nil) // the client has left, or sees that we do
}

// perform has the handler do what r asks for, and tells the client that we are there meanwhile.
func (l *Listener) perform(ctx context.Context, r *Request) (any, error) {
	var telling sync.WaitGroup
	defer telling.Wait()
	ctx, done := context.WithCancel(ctx)
	defer done()
	telling.Go(func() {
		for sleep(ctx, l.pulse) {
			r.out.offer(alive)
		}
	})
	return l.handle(ctx, r)
}

var alive = []byte(`{"alive":true}` + "\n")

// done is the line of an answer.
func done(answer any) []byte {
	line, err := encode(map[string]any{"done": answer})
	if err != nil {
		return failed(failure(err))
	}
	return line
}

// failed is the line of a Failure.
func failed(f *Failure) []byte {
	line, err := encode(map[string]any{"failed": f})
	if err != nil { // its detail is too long, or no JSON
		return failed(NewFailure(CodeInternal, f.Code+": "+err.Error()))
	}
	return line
}

func failure(err error) *Failure {
	if f, ok := errors.AsType[*Failure](err); ok {
		return f
	}
	return NewFailure(CodeInternal, err.Error())
}
