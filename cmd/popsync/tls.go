package main

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"popsync/fetch"
	"popsync/internal/config"
	"popsync/internal/secret"
	"popsync/internal/transport"
)

// tlsOf trusts the system's CAs, and the account's own besides.
func tlsOf(a config.Account) (*tls.Config, error) {
	name, err := transport.ASCII(cmp.Or(a.ServerName, a.Host))
	if err != nil {
		return nil, err
	}
	// A session of a poll before is resumed: the server need not prove itself by its certificate again.
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: name, ClientSessionCache: tls.NewLRUClientSessionCache(1)}
	if a.ClientCert != "" {
		cert, err := clientCertificate(a)
		if err != nil {
			return nil, err
		}
		c.Certificates = []tls.Certificate{cert}
	}
	if a.MinVersion == "1.3" {
		c.MinVersion = tls.VersionTLS13
	}
	if a.Pins != nil {
		pins := make([]fetch.Pin, len(a.Pins))
		for i, p := range a.Pins {
			pins[i] = p
		}
		fetch.Pinned(c, pins)
	}
	if a.CAFile == "" {
		return c, nil
	}
	if err := regular(a.CAFile); err != nil {
		return nil, fmt.Errorf("tls_ca_file %s: %w", a.CAFile, err)
	}
	pem, err := os.ReadFile(a.CAFile)
	if err != nil {
		return nil, fmt.Errorf("tls_ca_file %s: %w", a.CAFile, reason(err))
	}
	c.RootCAs, err = x509.SystemCertPool()
	if err != nil { // a machine without any
		c.RootCAs = x509.NewCertPool()
	}
	if !c.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("tls_ca_file %s: holds no certificate in PEM", a.CAFile)
	}
	return c, nil
}

// clientCertificate is what a shows to its server. Nobody else may read the key.
func clientCertificate(a config.Account) (tls.Certificate, error) {
	info, err := os.Stat(a.ClientKey)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("tls_client_key %s: %w", a.ClientKey, reason(err))
	}
	if err := both(secret.CheckOwner(a.ClientKey, info, os.Getuid()), secret.CheckMode(a.ClientKey, info, os.Getuid())); err != nil {
		return tls.Certificate{}, fmt.Errorf("tls_client_key %s %w", a.ClientKey, err)
	}
	if err := cmp.Or(regular(a.ClientKey), regular(a.ClientCert)); err != nil {
		return tls.Certificate{}, fmt.Errorf("tls_client_cert %s, tls_client_key %s: %w", a.ClientCert, a.ClientKey, err)
	}
	cert, err := tls.LoadX509KeyPair(a.ClientCert, a.ClientKey)
	if err != nil {
		return cert, fmt.Errorf("tls_client_cert %s, tls_client_key %s: %w", a.ClientCert, a.ClientKey, reason(err))
	}
	return cert, nil
}

// regular refuses what may have no end, or none yet, such as a named pipe.
func regular(path string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return reason(err)
	case !info.Mode().IsRegular():
		return errors.New("is no file")
	}
	return nil
}

// reason is err without the path, which stands in front already.
func reason(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}
