#!/bin/sh
# The Lambda Web Adapter starts this once for each environment, and passes requests on to the port.
# The runtime itself would add the layer and its own packages to the path; here nobody else does.
export PYTHONPATH="${PYTHONPATH:+$PYTHONPATH:}/opt/python${LAMBDA_RUNTIME_DIR:+:$LAMBDA_RUNTIME_DIR}"
exec "${PYTHON:-python3}" "$(dirname "$0")/server.py" "${AWS_LWA_PORT:-8080}"
