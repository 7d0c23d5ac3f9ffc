package realtest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// Hosts is how many addresses, 127.0.0.1 and those after it, a server listens on and is certified for.
const Hosts = 10

// Host is the nth address, from 1.
func Host(n int) string { return net.IPv4(127, 0, 0, byte(n)).String() }

// makeCertificates writes to dir a new authority, ca.pem, and a server's certificate and key by
// it, cert.pem and key.pem; for each of clients one with its name, NAME.pem and NAME-key.pem.
func makeCertificates(dir string, clients ...string) error {
	now := time.Now()
	ca := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: "popsync test authority"},
		NotBefore:             now.Add(-time.Hour),
		NotAfter:              now.Add(24 * time.Hour),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign,
	}
	server := &x509.Certificate{
		SerialNumber: big.NewInt(2),
		Subject:      pkix.Name{CommonName: "popsync test server"},
		NotBefore:    ca.NotBefore,
		NotAfter:     ca.NotAfter,
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:     []string{"localhost"},
	}
	for n := range Hosts {
		server.IPAddresses = append(server.IPAddresses, net.ParseIP(Host(n+1)))
	}
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	if err := certify(filepath.Join(dir, "ca.pem"), ca, ca, caKey.Public(), caKey); err != nil {
		return err
	}
	if err := certifyNew(dir, "cert.pem", "key.pem", server, ca, caKey); err != nil {
		return err
	}
	for i, name := range clients {
		client := &x509.Certificate{
			SerialNumber: big.NewInt(int64(3 + i)),
			Subject:      pkix.Name{CommonName: name},
			NotBefore:    ca.NotBefore,
			NotAfter:     ca.NotAfter,
			KeyUsage:     x509.KeyUsageDigitalSignature,
			ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		}
		if err := certifyNew(dir, name+".pem", name+"-key.pem", client, ca, caKey); err != nil {
			return err
		}
	}
	return nil
}

// certifyNew makes a key, and a certificate of it by ca.
func certifyNew(dir, certName, keyName string, template, ca *x509.Certificate, caKey crypto.Signer) error {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return err
	}
	if err := writePEM(filepath.Join(dir, keyName), "PRIVATE KEY", der); err != nil {
		return err
	}
	return certify(filepath.Join(dir, certName), template, ca, private.Public(), caKey)
}

func certify(name string, template, parent *x509.Certificate, public crypto.PublicKey, by crypto.Signer) error {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, by)
	if err != nil {
		return err
	}
	return writePEM(name, "CERTIFICATE", der)
}

func writePEM(name, kind string, der []byte) error {
	return os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}
