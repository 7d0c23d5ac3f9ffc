package deliver

// A Kind says what sort of failure an [Error] is, for those who react to it.
type Kind uint8

const (
	IO      Kind = iota // input/output error, disk full, quota
	Create              // the target cannot be created or opened for writing
	Refused             // an MDA refused this message for good
	Later               // an MDA wants this message later: status 75, a signal, a timeout
)

// An Error is a failure of a target. Kinds Refused and Later concern one message, the others
// the target as a whole.
type Error struct {
	Kind Kind
	Err  error  // names the object: file, folder or program
	Hint string // what a person can do about it; may be empty

	Blameless bool // with Refused: the message is not to blame, a program behind the MDA is missing
}

func (e *Error) Error() string { return e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }
