"""Everything that `make run` starts on one machine: a broker, databases, the four stages, and the gateway.

The stages are named by their classes, as on a command line, and not imported.
"""

SERVICES = {
    "intake": "services.intake.service:IntakeService",
    "triage": "services.triage.service:TriageService",
    "opd_response": "services.opd_response.service:OpdResponseService",
    "notification": "services.notification.service:NotificationService",
}
"""The class that `nameko run` hosts for each stage."""
