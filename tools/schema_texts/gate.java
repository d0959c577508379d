package app;

import com.pulumi.Pulumi;
import com.pulumi.core.TypeShape;
import com.pulumi.hbrclients.ActivationGate;
import com.pulumi.hbrclients.ActivationGateArgs;
import java.util.List;

public class App {
    public static void main(String[] args) {
        Pulumi.run(ctx -> {
            List<String> instanceIds = ctx.config().requireObject("instanceIds", TypeShape.list(String.class));

            var backedUp = new ActivationGate("backed-up", ActivationGateArgs.builder()
                .clientType("ECS_CLIENT")
                .instanceIds(instanceIds)
                .timeout("15m")
                .maxHeartbeatAge("10m")
                .build());

            ctx.export("clientIds", backedUp.ids());
        });
    }
}
