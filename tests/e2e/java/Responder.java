// SPDX-License-Identifier: ISC
/*
 * An OCSP responder made of BouncyCastle: what it writes comes from another encoder than libcrypto.
 *
 * Runs by "java -cp JARS Responder.java DIR SERIAL=STATUS..."; DIR holds ca.crt, signer.crt and
 * signer.key, SERIAL is decimal, STATUS good, revoked or unknown. Prints the port of 127.0.0.1 that
 * it listens at. It calls itself by the hash of its key, and repeats nonces.
 */

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.math.BigInteger;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Instant;
import java.util.Base64;
import java.util.Date;
import java.util.HashMap;
import java.util.Map;
import org.bouncycastle.asn1.ocsp.OCSPObjectIdentifiers;
import org.bouncycastle.asn1.x509.CRLReason;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.Extensions;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.ocsp.BasicOCSPRespBuilder;
import org.bouncycastle.cert.ocsp.CertificateID;
import org.bouncycastle.cert.ocsp.CertificateStatus;
import org.bouncycastle.cert.ocsp.OCSPReq;
import org.bouncycastle.cert.ocsp.OCSPResp;
import org.bouncycastle.cert.ocsp.OCSPRespBuilder;
import org.bouncycastle.cert.ocsp.Req;
import org.bouncycastle.cert.ocsp.RevokedStatus;
import org.bouncycastle.cert.ocsp.UnknownStatus;
import org.bouncycastle.operator.ContentSigner;
import org.bouncycastle.operator.DigestCalculatorProvider;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;

public class Responder {
    private final DigestCalculatorProvider digests =
        new JcaDigestCalculatorProviderBuilder().build();
    private final Map<BigInteger, String> statuses = new HashMap<>();
    private final X509CertificateHolder ca;
    private final X509CertificateHolder signer;
    private final ContentSigner key;

    private Responder(Path directory) throws Exception {
        ca = new X509CertificateHolder(read(directory.resolve("ca.crt")));
        signer = new X509CertificateHolder(read(directory.resolve("signer.crt")));
        boolean isRsa = signer.getSubjectPublicKeyInfo().getAlgorithm().getAlgorithm().getId()
            .startsWith("1.2.840.113549.1.1.");
        PrivateKey secret = KeyFactory.getInstance(isRsa ? "RSA" : "EC").generatePrivate(
            new PKCS8EncodedKeySpec(read(directory.resolve("signer.key"))));
        key = new JcaContentSignerBuilder(isRsa ? "SHA256withRSA" : "SHA256withECDSA")
            .build(secret);
    }

    private static byte[] read(Path pem) throws IOException {
        return Base64.getMimeDecoder().decode(Files.readString(pem).replaceAll("-----.*-----", ""));
    }

    private CertificateStatus status(CertificateID id) throws Exception {
        String status = id.matchesIssuer(ca, digests)
            ? statuses.getOrDefault(id.getSerialNumber(), "unknown") : "unknown";
        switch (status) {
            case "good":
                return CertificateStatus.GOOD;
            case "revoked":
                return new RevokedStatus(Date.from(Instant.now().minusSeconds(3600)),
                                         CRLReason.keyCompromise);
            default:
                return new UnknownStatus();
        }
    }

    private byte[] answer(byte[] request) throws Exception {
        OCSPReq asked = new OCSPReq(request);
        BasicOCSPRespBuilder builder = new BasicOCSPRespBuilder(
            signer.getSubjectPublicKeyInfo(), digests.get(CertificateID.HASH_SHA1));
        Instant now = Instant.now();
        for (Req one : asked.getRequestList()) {
            builder.addResponse(one.getCertID(), status(one.getCertID()), Date.from(now),
                                Date.from(now.plusSeconds(86400)), null);
        }
        Extension nonce = asked.getExtension(OCSPObjectIdentifiers.id_pkix_ocsp_nonce);
        if (nonce != null) {
            builder.setResponseExtensions(new Extensions(nonce));
        }
        OCSPResp response = new OCSPRespBuilder().build(
            OCSPRespBuilder.SUCCESSFUL,
            builder.build(key, new X509CertificateHolder[] {signer}, Date.from(now)));
        return response.getEncoded();
    }

    private void serve(HttpExchange exchange) throws IOException {
        try (exchange) {
            byte[] request = exchange.getRequestMethod().equals("POST")
                ? exchange.getRequestBody().readAllBytes()
                : Base64.getDecoder().decode(exchange.getRequestURI().getPath().substring(1));
            byte[] response = answer(request);
            exchange.getResponseHeaders().set("Content-Type", "application/ocsp-response");
            exchange.sendResponseHeaders(200, response.length);
            exchange.getResponseBody().write(response);
        } catch (Exception fault) {
            fault.printStackTrace();
        }
    }

    public static void main(String[] args) throws Exception {
        Responder responder = new Responder(Path.of(args[0]));
        for (int i = 1; i < args.length; i++) {
            String[] pair = args[i].split("=");
            responder.statuses.put(new BigInteger(pair[0]), pair[1]);
        }
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
        server.createContext("/", responder::serve);
        server.start();
        System.out.println("listening at port " + server.getAddress().getPort());
    }
}
