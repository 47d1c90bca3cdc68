// SPDX-License-Identifier: ISC
/*
 * Java's certificate path validator as a client of the relay.
 *
 * Runs by "java Check.java ROOT CA URL", which needs no build. Each line of standard input is a
 * check, "HOW LEAF.crt", and each gets a line: the verdict. One virtual machine does all checks of
 * a test, since it takes long to start. HOW is
 *
 *   checker     a PKIXRevocationChecker that knows the responder looks at the leaf
 *   properties  the security properties ocsp.enable and ocsp.responderURL, which the file has that
 *               -Djava.security.properties names, for the whole chain
 */

import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.security.cert.CertPath;
import java.security.cert.CertPathValidator;
import java.security.cert.CertPathValidatorException;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.PKIXRevocationChecker;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

public class Check {
    private final CertificateFactory factory = CertificateFactory.getInstance("X.509");
    private final CertPathValidator validator = CertPathValidator.getInstance("PKIX");
    private final PKIXParameters anchored;
    private final Certificate ca;
    private final String url;

    private Check(String root, String ca, String url) throws Exception {
        this.anchored = new PKIXParameters(
            Set.of(new TrustAnchor((X509Certificate) read(root), null)));
        this.ca = read(ca);
        this.url = url;
    }

    private Certificate read(String path) throws Exception {
        try (InputStream in = new FileInputStream(path)) {
            return factory.generateCertificate(in);
        }
    }

    private PKIXParameters parameters(String how) throws Exception {
        PKIXParameters parameters = (PKIXParameters) anchored.clone();
        if (how.equals("properties")) {
            parameters.setRevocationEnabled(true);
            return parameters;
        }
        PKIXRevocationChecker checker = (PKIXRevocationChecker) validator.getRevocationChecker();
        checker.setOcspResponder(new URI(url));
        checker.setOptions(EnumSet.of(PKIXRevocationChecker.Option.ONLY_END_ENTITY,
                                      PKIXRevocationChecker.Option.NO_FALLBACK));
        parameters.addCertPathChecker(checker);
        return parameters;
    }

    private String verdict(String how, String leaf) throws Exception {
        CertPath path = factory.generateCertPath(List.of(read(leaf), ca));
        try {
            validator.validate(path, parameters(how));
            return "VALID";
        } catch (CertPathValidatorException refused) {
            return refused.getReason() + " at " + refused.getIndex() + ": " + refused.getMessage();
        }
    }

    public static void main(String[] args) throws Exception {
        Check check = new Check(args[0], args[1], args[2]);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line; (line = in.readLine()) != null;) {
            String[] words = line.split(" ", 2);
            System.out.println(check.verdict(words[0], words[1]));
        }
    }
}
