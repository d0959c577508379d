package app;

import com.pulumi.Pulumi;
import com.pulumi.hbrclients.HbrclientsFunctions;
import com.pulumi.hbrclients.inputs.GetBackupClientsArgs;
import java.util.Map;

public class App {
    public static void main(String[] args) {
        Pulumi.run(ctx -> {
            var production = HbrclientsFunctions.getBackupClients(GetBackupClientsArgs.builder()
                .clientType("ECS_CLIENT")
                .tags(Map.of("env", "prod"))
                .build());

            ctx.export("clients", production.applyValue(found -> found.clients()));
            ctx.export("countsByStatus", production.applyValue(found -> found.countsByStatus()));
        });
    }
}
