// Package owner lets the process that holds a state serve the others: it listens at a socket
// beside the state, and who finds the state taken asks there.
//
// A line is one JSON object, and a connection carries one request:
//
//	client  {"hello": {"schema": 1, "version": "1.4", "pid": 4712, "command": "fetch", …}}
//	owner   {"hello": {"schema": 1, "version": "1.4", "pid": 4711, "command": "run", …}}
//	client  {"do": "poll", "body": …}
//	owner   {"event": …}      any number of them, and {"alive": true} every few seconds
//	owner   {"done": …}       or {"failed": {"code": "ending", "detail": …}}
//
// The owner leaves a connection open until its client closes it, with or without a request. So
// its end says that the owner has ended, however that came about: the kernel closes it too.
//
// Each side looks at the other's user (peer credentials); the state's own user and root are let in.
// What a client does, or fails to do, concerns its own connection only. It may be stopped, vanish
// or send garbage: the owner's work is never held up by it, nor by a request that its handler
// does not wait for.
package owner
