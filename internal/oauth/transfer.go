package oauth

import (
	"bufio"
	"bytes"
	"encoding/pem"
	"io"
)

// block is the name of tokens on their way to another machine. PEM, because it survives terminals:
// lines are short, and what stands around it does no harm.
const block = "POPSYNC TOKENS"

// Export writes tokens for [Source.Import] of another machine. They are secret.
func (s *Source) Export(w io.Writer, t Tokens) error {
	return pem.Encode(w, &pem.Block{Type: block, Bytes: t.record.encode()})
}

// Import reads what Export has written; they have to be of the account's client and provider.
func (s *Source) Import(r io.Reader) (Tokens, error) {
	if err := s.check(); err != nil {
		return Tokens{}, err
	}
	const hint = "pipe into it what popsync auth login --export prints"
	b, _ := pem.Decode(readBlock(r))
	if b == nil || b.Type != block {
		return Tokens{}, errorf(Configuration, hint, "standard input holds no tokens")
	}
	rec, err := decode(b.Bytes)
	switch {
	case err != nil:
		return Tokens{}, errorf(Configuration, hint, "what standard input holds %w", err)
	case rec.clientID != s.set.ClientID:
		return Tokens{}, errorf(Configuration, "use the same oauth2.client_id on both machines", "the tokens belong to another client than oauth2.client_id")
	case !sameServer(rec.tokenURL, s.set.Endpoints.TokenURL):
		return Tokens{}, errorf(Configuration, "use the same oauth2.provider on both machines", "the tokens are of another provider than oauth2 names")
	}
	return Tokens{rec}, nil
}

// readBlock reads up to the end of a block, so that a person who pastes need not say when it is over.
func readBlock(r io.Reader) []byte {
	var text bytes.Buffer
	lines := bufio.NewScanner(io.LimitReader(r, 2*maxFile))
	for lines.Scan() {
		text.Write(append(lines.Bytes(), '\n'))
		if bytes.HasPrefix(lines.Bytes(), []byte("-----END "+block)) {
			break
		}
	}
	return text.Bytes()
}
