import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';

/** How far each durable subscription has come. Lost ones start at the beginning, which is harmless and slow. */
@Injectable()
export class SubscriptionCursors {
  constructor(private readonly dataSource: DataSource) {}

  async load(name: string): Promise<string | null> {
    const rows: { cursor: string }[] = await this.dataSource.query(
      'SELECT cursor FROM state.subscription_cursors WHERE name = $1',
      [name],
    );
    return rows[0]?.cursor ?? null;
  }

  async save(name: string, cursor: string): Promise<void> {
    await this.dataSource.query(
      `INSERT INTO state.subscription_cursors (name, cursor) VALUES ($1, $2)
       ON CONFLICT (name) DO UPDATE SET cursor = excluded.cursor`,
      [name, cursor],
    );
  }
}
