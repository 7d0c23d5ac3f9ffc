package fetch

import "crypto/x509"

// A Kind is what sort of failure ended a poll, or a part of it: what to do next, and the exit
// status of the program, follow from it.
type Kind uint8

const (
	Internal    Kind = iota // a fault of popsync itself
	Unreachable             // name, connection, TLS, certificate, connection lost, timeout
	Protocol                // no POP3 server, a bad reply, -ERR to UIDL, RETR, DELE or QUIT
	Busy                    // [IN-USE], [LOGIN-DELAY], [SYS/TEMP]; an MDA that wants mail later; the state is taken
	Refused                 // the log-in: a wrong password, [AUTH], [SYS/PERM]
	Config                  // the configuration, or a secret that cannot be sent
	CannotWrite             // Maildir or state cannot be created or opened for writing; an MDA refused for good
	InputOutput             // input/output error, disk full
	Interrupted             // by a signal
)

// An Error is a failure of one account's poll.
type Error struct {
	Account string
	Server  string
	Step    string // what popsync was doing: "connect", "log in", "list", "retrieve", "deliver", ...
	Kind    Kind
	Err     error
	Hint    string // what a person can do; may be empty

	Certificates []*x509.Certificate // what the server showed, where that was refused

	Repeated bool // its user has been told lately: it is for those who ask
}

// Error is one line: account, server, step, cause. The server's words in it are raw; whoever shows
// them makes them harmless.
func (e *Error) Error() string {
	return e.Account + ": " + e.Server + ": " + e.Step + ": " + e.Err.Error()
}

func (e *Error) Unwrap() error { return e.Err }
